import { advanceClock } from "./clock.ts";
import { host } from "./host.ts";
import {
  ErrorClass,
  jsonParse,
  jsonStringify,
  NativePromise,
  safeMap,
  takeFirst,
  withoutPrototype,
} from "./primordials.ts";
import { breachLimit, countWaiting, isOver } from "./run-state.ts";

/** Most characters of one call's arguments. */
const maxArgs = 90_000_000;

type Waiting = { resolve(value: unknown): void; reject(error: unknown): void; counted: boolean };
type Call = Waiting & { op: string; argsJson: string };

/** A call that its caller may lose interest in: the reply still comes, but nothing waits for it. */
export type Effect<T> = { promise: Promise<T>; abandon(): void };

const inFlight = safeMap<number, Waiting>();
const queue: Call[] = [];
let requested = 0;
let issued = 0;
let flying = 0;
let maxEffects = 0;
/** Most calls that the parent serves at a time; further ones wait here, in order. */
let maxInFlight = 0;
/** Why nothing may be called yet. */
let closedReason: string | undefined = "a job must not call anything while it is loaded: move the call into run()";

/** From here on the job may call: its bundle is loaded and run() starts. */
export function openEffects(limits: { effects: number; inFlight: number }): void {
  maxEffects = limits.effects;
  maxInFlight = limits.inFlight;
  closedReason = undefined;
}

function issue(call: Call): void {
  issued++;
  flying++;
  inFlight.set(issued, call);
  host().effect(issued, call.op, call.argsJson);
}

function argsText(op: string, args: object): string {
  const text = jsonStringify(withoutPrototype(args));
  if (text.length > maxArgs)
    throw new ErrorClass(`${op}: the arguments have ${text.length} characters; at most ${maxArgs} are allowed`);
  return text;
}

/** The only door out of the sandbox. `args` must be an object made for this call. */
export function startEffect<T>(op: string, args: object): Effect<T> {
  if (closedReason !== undefined) throw new ErrorClass(closedReason);
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new NativePromise<T>((onOk, onError) => {
    resolve = onOk;
    reject = onError;
  });
  const argsJson = argsText(op, args);
  const settle = (value: unknown) => resolve(value as T);
  const call: Call = { op, argsJson, resolve: settle, reject, counted: true };
  requested++;
  if (requested > maxEffects)
    breachLimit("effects", `the job made more than ${maxEffects} calls; limits.effects in defineJob raises that`);
  countWaiting(1);
  if (isOver()) return { promise, abandon: () => {} };
  if (flying < maxInFlight) issue(call);
  else queue[queue.length] = call;
  const abandon = () => {
    if (!call.counted) return;
    call.counted = false;
    countWaiting(-1);
  };
  return { promise, abandon };
}

export function effect<T>(op: string, args: object): Promise<T> {
  return startEffect<T>(op, args).promise;
}

/** Hands one reply to the job. The child calls it while the isolate is quiet. */
export function deliver(seq: number, ok: boolean, json: string, guestMs: number): void {
  const call = inFlight.get(seq);
  if (call === undefined) return;
  inFlight.delete(seq);
  flying--;
  advanceClock(guestMs);
  if (call.counted) {
    call.counted = false;
    countWaiting(-1);
  }
  const value: unknown = jsonParse(json);
  if (ok) call.resolve(value);
  else call.reject(effectError(value));
  const next = takeFirst(queue);
  if (next !== undefined) issue(next);
}

function effectError(value: unknown): Error {
  const { name, message, code } = value as { name?: string; message?: string; code?: string };
  const error = name === "TypeError" ? new TypeError(message) : new ErrorClass(message);
  if (name !== undefined && name !== error.name)
    Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  if (code !== undefined) Object.defineProperty(error, "code", { value: code, configurable: true, writable: true });
  return error;
}
