import { crypto } from "./crypto.ts";
import { DOMException } from "./dom-exception.ts";
import { AbortController, AbortSignal, Event, EventTarget } from "./events.ts";
import { fetch, Request, Response } from "./fetch.ts";
import { Headers } from "./headers.ts";
import { structuredClone } from "./structured-clone.ts";
import { atob, btoa, TextDecoder, TextEncoder } from "./text.ts";
import { clearTimeout, queueMicrotask, setInterval, setTimeout } from "./timers.ts";
import { URL, URLSearchParams } from "./url.ts";

const globals = {
  AbortController,
  AbortSignal,
  atob,
  btoa,
  clearInterval: clearTimeout,
  clearTimeout,
  crypto,
  DOMException,
  Event,
  EventTarget,
  fetch,
  Headers,
  queueMicrotask,
  Request,
  Response,
  setInterval,
  setTimeout,
  structuredClone,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
} as const;

/** Puts the web's names on the global object, not enumerable, as the web has them. */
export function installGlobals(): void {
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}
