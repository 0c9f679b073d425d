import { PermanentError } from "./permanent-error.ts";
import { jsonStringify, StringOf, sliceText, withoutPrototype } from "./primordials.ts";

export type ErrorText = { name: string; message: string; stack: string; code?: string; permanent?: true };

/** Reads one property as text, whatever the job put there. */
function textOf(thrown: object, key: "name" | "message" | "stack", limit: number): string {
  try {
    const value: unknown = Reflect.get(thrown, key);
    return value === undefined ? "" : sliceText(StringOf(value), 0, limit);
  } catch {
    return "";
  }
}

/** Such as that of a call; what a job has put there instead does not count. */
function codeOf(thrown: object): string | undefined {
  try {
    const code: unknown = Reflect.get(thrown, "code");
    return typeof code === "string" ? sliceText(code, 0, 100) : undefined;
  } catch {
    return undefined;
  }
}

function isPermanent(thrown: object): boolean {
  try {
    return thrown instanceof PermanentError;
  } catch {
    return false;
  }
}

/** Turns anything thrown into plain strings, inside the isolate, so that no object of the job crosses the wall. */
export function describeError(thrown: unknown): ErrorText {
  if (typeof thrown === "object" && thrown !== null) {
    const stack = textOf(thrown, "stack", 16_000);
    const message = textOf(thrown, "message", 4_000);
    const name = textOf(thrown, "name", 100) || "Error";
    if (stack !== "" || message !== "") {
      const text: ErrorText = withoutPrototype({ name, message, stack });
      const code = codeOf(thrown);
      if (code !== undefined) text.code = code;
      if (isPermanent(thrown)) text.permanent = true;
      return text;
    }
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
