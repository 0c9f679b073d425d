import { floor, NativeDate } from "./primordials.ts";

/*
 * The deterministic clock: it stands still while code runs and moves on when a result is delivered, so a replay sees
 * the same times as the run did.
 */

let nowMs = 0;
let startMs = 0;

export function guestNow(): number {
  return nowMs;
}

export function startClock(ms: number): void {
  startMs = ms;
  nowMs = ms;
}

/** Time never goes back. */
export function advanceClock(ms: number): void {
  if (ms > nowMs) nowMs = ms;
}

const construct = Reflect.construct;

function makeDate(): DateConstructor {
  function GuestDate(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new NativeDate(floor(nowMs)).toString();
    return construct(NativeDate, args.length === 0 ? [floor(nowMs)] : args, new.target);
  }
  const now = () => floor(nowMs);
  Object.defineProperties(GuestDate, {
    name: { value: "Date", configurable: true },
    prototype: { value: NativeDate.prototype, writable: false, enumerable: false, configurable: false },
    length: { value: 7, configurable: true },
    now: { value: now, writable: true, configurable: true },
    parse: { value: NativeDate.parse, writable: true, configurable: true },
    UTC: { value: NativeDate.UTC, writable: true, configurable: true },
  });
  Object.defineProperty(NativeDate.prototype, "constructor", { value: GuestDate, writable: true, configurable: true });
  return GuestDate as unknown as DateConstructor;
}

/** Without an argument the formatter would take the machine's time. */
function patchFormat(): void {
  const prototype = Intl.DateTimeFormat.prototype;
  const getter = Object.getOwnPropertyDescriptor(prototype, "format")?.get;
  const parts = prototype.formatToParts;
  const apply = Reflect.apply;
  const bound = new WeakMap<object, unknown>();
  const wrapFormat = (self: object) => {
    const known = bound.get(self);
    if (known !== undefined) return known;
    const native = apply(getter as () => unknown, self, []) as (date: unknown) => string;
    const wrapped = (date?: unknown) => native(date === undefined ? floor(nowMs) : date);
    bound.set(self, wrapped);
    return wrapped;
  };
  Object.defineProperty(prototype, "format", {
    configurable: true,
    get() {
      return wrapFormat(this);
    },
  });
  Object.defineProperty(prototype, "formatToParts", {
    configurable: true,
    writable: true,
    value: function formatToParts(this: Intl.DateTimeFormat, date?: Date | number) {
      return apply(parts, this, [date === undefined ? floor(nowMs) : date]);
    },
  });
}

export function installClock(): void {
  patchFormat();
  Object.defineProperty(globalThis, "Date", { value: makeDate(), writable: true, configurable: true });
  const performance = Object.freeze({
    now: () => nowMs - startMs,
    get timeOrigin() {
      return startMs;
    },
  });
  Object.defineProperty(globalThis, "performance", { value: performance, writable: true, configurable: true });
}
