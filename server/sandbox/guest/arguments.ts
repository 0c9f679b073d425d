/** A text, or a TypeError that names what it is for. */
export function requireText(value: unknown, what: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(`${what} must be a text that is not empty`);
}

/** An object of options; left out, it is empty. */
export function optionsOf<T extends object>(value: T | undefined, what: string): Partial<T> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null) throw new TypeError(`${what} must be an object`);
  return value;
}
