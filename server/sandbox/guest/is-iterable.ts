/** Whether `for … of` takes it. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, Symbol.iterator) === "function";
}

/** The members of one entry of a list of pairs. */
export function partsOf(entry: unknown): unknown[] {
  if (typeof entry === "string") return [...entry];
  if (!isIterable(entry)) throw new TypeError("an iterable [name, value] pair is needed");
  return [...entry];
}
