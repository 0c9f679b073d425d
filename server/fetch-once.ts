import { Agent, fetch, type RequestInit, type Response } from "undici";

/**
 * `fetch` on a connection of its own, so that a server that was restarted meanwhile cannot fail it with a stale one. Only the
 * signal bounds it.
 */
export function fetchOnce(url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
  // Without pipelining nothing is kept alive, so that the agent has nothing to close afterwards.
  return fetch(url, { ...init, dispatcher: new Agent({ pipelining: 0, headersTimeout: 0, bodyTimeout: 0 }) });
}
