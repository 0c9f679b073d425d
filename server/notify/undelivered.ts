/** A message that did not arrive; the reason names neither address nor text. */
export class Undelivered extends Error {
  override readonly name = "Undelivered";
}
