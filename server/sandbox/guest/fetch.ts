import { Body, readBody } from "./body.ts";
import { decodeBase64, encodeBase64 } from "./bytes.ts";
import { startEffect } from "./effect.ts";
import { AbortController, type AbortSignal } from "./events.ts";
import { Headers } from "./headers.ts";
import { promiseThen } from "./primordials.ts";
import { URL } from "./url.ts";

type Redirect = "follow" | "manual" | "error";
type RequestOptions = {
  method?: string;
  headers?: unknown;
  body?: unknown;
  redirect?: Redirect;
  signal?: AbortSignal | null;
};
type Answer = {
  status: number;
  statusText: string;
  url: string;
  redirected: boolean;
  headers: [string, string][];
  body: string;
};

const usualMethods = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

function normalMethod(method: unknown): string {
  const text = String(method);
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text)) throw new TypeError(`"${text}" is no valid method`);
  const upper = text.toUpperCase();
  if (["CONNECT", "TRACE", "TRACK"].includes(upper)) throw new TypeError(`the method ${upper} is forbidden`);
  return usualMethods.includes(upper) ? upper : text;
}

export class Request extends Body {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly redirect: Redirect;
  readonly signal: AbortSignal;

  constructor(input: unknown, options: RequestOptions = {}) {
    const from = input instanceof Request ? input : undefined;
    const method = normalMethod(options.method ?? from?.method ?? "GET");
    const headers = new Headers(options.headers ?? from?.headers);
    const body =
      options.body === undefined || options.body === null
        ? { bytes: from?.takeBytes() ?? null, type: null }
        : readBody(options.body);
    if (body.bytes !== null && (method === "GET" || method === "HEAD"))
      throw new TypeError(`a ${method} request cannot have a body`);
    if (body.type !== null && !headers.has("content-type")) headers.set("content-type", body.type);
    super(body.bytes, () => this.headers);
    const url = new URL(from?.url ?? input);
    const { username, password } = url;
    if (username !== "" || password !== "")
      throw new TypeError("a URL with a user name or password cannot be fetched: send an authorization header");
    this.url = url.toString();
    this.method = method;
    this.headers = headers;
    this.redirect = options.redirect ?? from?.redirect ?? "follow";
    this.signal = options.signal ?? from?.signal ?? new AbortController().signal;
  }

  clone(): Request {
    const { method, headers, redirect, signal } = this;
    return new Request(this.url, { method, headers, redirect, signal, body: this.copyBytes() });
  }
}

type ResponseOptions = { status?: number; statusText?: string; headers?: unknown };

/** Fills in what a job cannot set on a Response of its own. */
let received: (response: Response, url: string, redirected: boolean) => void = () => {};

export class Response extends Body {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly type = "default";
  #url = "";
  #redirected = false;

  constructor(body: unknown = null, options: ResponseOptions = {}) {
    const { status = 200, statusText = "", headers } = options;
    if (!Number.isInteger(status) || status < 200 || status > 599)
      throw new RangeError("the status must be from 200 to 599");
    const read = body === null || body === undefined ? { bytes: null, type: null } : readBody(body);
    super(read.bytes, () => this.headers);
    this.status = status;
    this.statusText = String(statusText);
    this.headers = new Headers(headers);
    if (read.type !== null && !this.headers.has("content-type")) this.headers.set("content-type", read.type);
  }

  static {
    received = (response, url, redirected) => {
      response.#url = url;
      response.#redirected = redirected;
    };
  }

  static json(value: unknown, options: ResponseOptions = {}): Response {
    const headers = new Headers(options.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new Response(JSON.stringify(value), { ...options, headers });
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get url(): string {
    return this.#url;
  }

  get redirected(): boolean {
    return this.#redirected;
  }

  clone(): Response {
    const { status, statusText, headers } = this;
    const copy = new Response(this.copyBytes(), { status, statusText, headers });
    received(copy, this.#url, this.#redirected);
    return copy;
  }
}

function toResponse(answer: Answer): Response {
  const empty = answer.body === "" || [204, 205, 304].includes(answer.status);
  const response = new Response(empty ? null : decodeBase64(answer.body), {
    status: Math.max(200, answer.status),
    statusText: answer.statusText,
    headers: answer.headers,
  });
  received(response, answer.url, answer.redirected);
  return response;
}

/** The whole response is there when the promise settles: bodies are not streamed. */
export async function fetch(input: unknown, options: RequestOptions = {}): Promise<Response> {
  const request = new Request(input, options);
  const { url, method, redirect, signal } = request;
  signal.throwIfAborted();
  const bytes = request.takeBytes();
  const effect = startEffect<Answer>("fetch", {
    url,
    method,
    headers: [...request.headers],
    body: bytes === null ? null : encodeBase64(bytes),
    redirect,
  });
  const answer = await new Promise<Answer>((resolve, reject) => {
    const onAbort = () => {
      effect.abandon();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const done = () => signal.removeEventListener("abort", onAbort);
    promiseThen(
      effect.promise,
      (value) => {
        done();
        resolve(value);
      },
      (error) => {
        done();
        reject(error);
      },
    );
  });
  return toResponse(answer);
}
