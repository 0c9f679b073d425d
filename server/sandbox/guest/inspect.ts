import { jsonStringify, StringOf, sliceText } from "./primordials.ts";

/** Most characters of one value. */
const maxText = 64_000;

/** A value as a log line shows it: strings as they are, errors with their stack, the rest as JSON. */
export function inspect(value: unknown): string {
  try {
    if (typeof value === "string") return sliceText(value, 0, maxText);
    if (value instanceof Date) return value.toISOString();
    if (value instanceof Error) return sliceText(StringOf(value.stack ?? value), 0, maxText);
    if (typeof value !== "object" || value === null) return sliceText(StringOf(value), 0, maxText);
    return sliceText(StringOf(jsonStringify(value, replacer())), 0, maxText);
  } catch (thrown) {
    return `(cannot be shown: ${typeof thrown})`;
  }
}

/** What JSON has no word for is named instead; objects that contain themselves end in a word. */
function replacer() {
  const above: object[] = [];
  return function (this: unknown, _key: string, value: unknown): unknown {
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "function") return "(function)";
    if (typeof value === "symbol") return StringOf(value);
    if (typeof value !== "object" || value === null) return value;
    while (above.length > 0 && above[above.length - 1] !== this) above.length--;
    for (const parent of above) if (parent === value) return "(circular)";
    above[above.length] = value;
    if (value instanceof Map) return { Map: [...value] };
    if (value instanceof Set) return { Set: [...value] };
    if (value instanceof Date) return value.toISOString();
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    return value;
  };
}
