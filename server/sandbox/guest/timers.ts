import { type Effect, startEffect } from "./effect.ts";
import { promiseThen, safeMap } from "./primordials.ts";

/*
 * Timers are effects: the parent waits, and the order in which it delivers them is on record.
 */

const longestMs = 2_147_483_647;
const timers = safeMap<number, Effect<null>>();
let lastId = 0;

function arm(id: number, ms: number, fire: () => void): void {
  const effect = startEffect<null>("timer", { ms });
  timers.set(id, effect);
  const done = () => {
    if (timers.get(id) === effect) fire();
  };
  promiseThen(effect.promise, done, done);
}

/** As the web does: no number, or one out of range, means at once. */
function delayOf(ms: unknown): number {
  const delay = Number(ms ?? 0);
  return delay >= 0 && delay <= longestMs ? Math.trunc(delay) : 0;
}

function requireFunction(callback: unknown, name: string): void {
  if (typeof callback !== "function") throw new TypeError(`${name} needs a function: code in strings is not run`);
}

export function setTimeout(callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): number {
  requireFunction(callback, "setTimeout");
  const id = ++lastId;
  arm(id, delayOf(ms), () => {
    timers.delete(id);
    callback(...args);
  });
  return id;
}

export function setInterval(callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): number {
  requireFunction(callback, "setInterval");
  const id = ++lastId;
  const delay = Math.max(1, delayOf(ms));
  const tick = () => {
    arm(id, delay, tick);
    callback(...args);
  };
  arm(id, delay, tick);
  return id;
}

export function clearTimeout(id: unknown): void {
  if (typeof id !== "number") return;
  timers.get(id)?.abandon();
  timers.delete(id);
}

/** The promise keeps unhandled errors of the callback visible: they fail the run. */
export function queueMicrotask(callback: () => void): void {
  requireFunction(callback, "queueMicrotask");
  Promise.resolve().then(() => callback());
}
