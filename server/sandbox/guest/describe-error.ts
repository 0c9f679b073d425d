import { jsonStringify, StringOf, sliceText, withoutPrototype } from "./primordials.ts";

export type ErrorText = { name: string; message: string; stack: string };

/** Reads one property as text, whatever the job put there. */
function textOf(thrown: object, key: "name" | "message" | "stack", limit: number): string {
  try {
    const value: unknown = Reflect.get(thrown, key);
    return value === undefined ? "" : sliceText(StringOf(value), 0, limit);
  } catch {
    return "";
  }
}

/** Turns anything thrown into plain strings, inside the isolate, so that no object of the job crosses the wall. */
export function describeError(thrown: unknown): ErrorText {
  if (typeof thrown === "object" && thrown !== null) {
    const stack = textOf(thrown, "stack", 16_000);
    const message = textOf(thrown, "message", 4_000);
    const name = textOf(thrown, "name", 100) || "Error";
    if (stack !== "" || message !== "") return withoutPrototype({ name, message, stack });
  }
  return withoutPrototype({
    name: "Error",
    message: `the job threw a value that is no Error: ${preview(thrown)}`,
    stack: "",
  });
}

function preview(value: unknown): string {
  try {
    const text = typeof value === "object" ? jsonStringify(value) : StringOf(value);
    return sliceText(StringOf(text), 0, 500);
  } catch {
    return "(unprintable)";
  }
}
