/** What a job throws where trying again cannot help. Subclasses count, whatever their name. */
export class PermanentError extends Error {
  override readonly name: string = "PermanentError";
}
