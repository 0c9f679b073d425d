import { DOMException } from "./dom-exception.ts";

const errorTypes = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const;

/** A deep copy as the HTML standard has it, for the types that exist in a job; `transfer` is not offered. */
export function structuredClone<T>(value: T): T {
  return copy(value, new Map()) as T;
}

function refuse(what: string): never {
  throw new DOMException(`${what} could not be cloned`, "DataCloneError");
}

function copy(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === "function") return refuse("a function");
  if (typeof value === "symbol") return refuse("a symbol");
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = <T>(made: T): T => {
    seen.set(value, made);
    return made;
  };
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (value instanceof Boolean || value instanceof Number || value instanceof String)
    return keep(Object(value.valueOf()));
  if (ArrayBuffer.isView(value)) return keep(copyView(value, seen));
  if (value instanceof Map) {
    const made = keep(new Map());
    for (const [key, member] of [...value]) made.set(copy(key, seen), copy(member, seen));
    return made;
  }
  if (value instanceof Set) {
    const made = keep(new Set());
    for (const member of [...value]) made.add(copy(member, seen));
    return made;
  }
  if (value instanceof Error) return keep(copyError(value, seen));
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet)
    return refuse("an object of that kind");
  const made: object = keep(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value)) {
    const member = copy(Reflect.get(value, key), seen);
    Object.defineProperty(made, key, { value: member, writable: true, enumerable: true, configurable: true });
  }
  return made;
}

function copyView(view: ArrayBufferView, seen: Map<object, unknown>): unknown {
  const buffer = copy(view.buffer, seen) as ArrayBuffer;
  if (view instanceof DataView) return new DataView(buffer, view.byteOffset, view.byteLength);
  const typed = view as Uint8Array;
  return Reflect.construct(typed.constructor, [buffer, typed.byteOffset, typed.length]);
}

function copyError(error: Error, seen: Map<object, unknown>): Error {
  const Type = error.name in errorTypes ? errorTypes[error.name as keyof typeof errorTypes] : Error;
  const made = new Type(error.message);
  const stack = error.stack;
  Object.defineProperty(made, "stack", { value: stack, writable: true, configurable: true });
  if ("cause" in error)
    Object.defineProperty(made, "cause", { value: copy(error.cause, seen), writable: true, configurable: true });
  return made;
}
