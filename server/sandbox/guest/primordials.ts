/*
 * Built-ins as they were before any job code ran. The bridge uses these alone, so that a job that overrides
 * `JSON.stringify` or pollutes a prototype confuses itself and nobody else.
 */

const { apply } = Reflect;

export const jsonParse = JSON.parse;
export const jsonStringify = JSON.stringify;
export const StringOf = String;
export const NativeDate = Date;
export const ErrorClass = Error;
export const floor = Math.floor;
export const NativePromise = Promise;

const { setPrototypeOf } = Reflect;

/** Takes the prototype away, so that a `toJSON` that the job put on it does not change what is sent. */
export function withoutPrototype<T extends object>(value: T): T {
  setPrototypeOf(value, null);
  return value;
}

const { slice: nativeSlice } = String.prototype;
const { then: nativeThen } = Promise.prototype;
const { get: mapGet, set: mapSet, delete: mapDelete } = Map.prototype;
const { shift } = Array.prototype;

export function sliceText(text: string, start: number, end?: number): string {
  return apply(nativeSlice, text, [start, end]);
}

export function promiseThen<T>(promise: Promise<T>, onOk: (value: T) => void, onError: (error: unknown) => void): void {
  apply(nativeThen, promise, [onOk, onError]);
}

/** A map whose methods cannot be replaced by the job. */
export function safeMap<K, V>() {
  const map = new Map<K, V>();
  return {
    get: (key: K): V | undefined => apply(mapGet, map, [key]),
    set: (key: K, value: V): void => void apply(mapSet, map, [key, value]),
    delete: (key: K): boolean => apply(mapDelete, map, [key]),
  };
}

export function takeFirst<T>(list: T[]): T | undefined {
  return apply(shift, list, []);
}
