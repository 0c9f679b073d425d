/** A failure of the network or the other side, as `fetch` reports it: a TypeError that a job may catch and a retry may mend. */
export function networkError(reason: string, cause?: unknown): Error {
  return new TypeError(`fetch failed: ${reason}`, cause === undefined ? undefined : { cause });
}
