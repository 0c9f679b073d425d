import { DOMException } from "./dom-exception.ts";
import { startEffect } from "./effect.ts";
import { promiseThen } from "./primordials.ts";

type Listener = { callback: ((event: Event) => void) | { handleEvent(event: Event): void }; once: boolean };

export class Event {
  readonly type: string;
  readonly cancelable: boolean;
  defaultPrevented = false;
  target: EventTarget | null = null;
  stopped = false;

  constructor(type: string, options: { cancelable?: boolean } = {}) {
    this.type = String(type);
    this.cancelable = options.cancelable === true;
  }

  get currentTarget(): EventTarget | null {
    return this.target;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }

  stopImmediatePropagation(): void {
    this.stopped = true;
  }
}

export class EventTarget {
  #listeners = new Map<string, Listener[]>();

  addEventListener(
    type: string,
    callback: Listener["callback"] | null,
    options: boolean | { once?: boolean; signal?: AbortSignal } = {},
  ): void {
    if (callback === null) return;
    const { once = false, signal = undefined } = typeof options === "object" ? options : {};
    if (signal?.aborted) return;
    const list = this.#listeners.get(type) ?? [];
    if (list.some((listener) => listener.callback === callback)) return;
    this.#listeners.set(type, [...list, { callback, once }]);
    signal?.addEventListener("abort", () => this.removeEventListener(type, callback), { once: true });
  }

  removeEventListener(type: string, callback: Listener["callback"] | null): void {
    const list = this.#listeners.get(type) ?? [];
    this.#listeners.set(
      type,
      list.filter((listener) => listener.callback !== callback),
    );
  }

  dispatchEvent(event: Event): boolean {
    event.target = this;
    for (const listener of this.#listeners.get(event.type) ?? []) {
      if (listener.once) this.removeEventListener(event.type, listener.callback);
      const { callback } = listener;
      if (typeof callback === "function") callback.call(this, event);
      else callback.handleEvent(event);
      if (event.stopped) break;
    }
    return !event.defaultPrevented;
  }
}

let allowConstruction = false;
/** Set by the class itself, so that only this module can abort a signal. */
let abortSignal: (signal: AbortSignal, reason: unknown) => void = () => {};

function createSignal(): AbortSignal {
  allowConstruction = true;
  try {
    return new AbortSignal();
  } finally {
    allowConstruction = false;
  }
}

export class AbortSignal extends EventTarget {
  #reason: unknown;
  onabort: ((event: Event) => void) | null = null;

  constructor() {
    super();
    if (!allowConstruction) throw new TypeError("Illegal constructor");
  }

  static {
    abortSignal = (signal, reason) => {
      if (signal.aborted) return;
      signal.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
      const event = new Event("abort");
      signal.onabort?.(event);
      signal.dispatchEvent(event);
    };
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.#reason;
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = createSignal();
    abortSignal(signal, reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    const signal = createSignal();
    const fire = () =>
      abortSignal(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    promiseThen(startEffect<null>("timer", { ms: Math.max(0, Math.trunc(Number(ms))) }).promise, fire, fire);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const signal = createSignal();
    for (const source of signals) {
      if (source.aborted) abortSignal(signal, source.reason);
      else source.addEventListener("abort", () => abortSignal(signal, source.reason), { once: true });
    }
    return signal;
  }
}

export class AbortController {
  readonly signal = createSignal();

  abort(reason?: unknown): void {
    abortSignal(this.signal, reason);
  }
}
