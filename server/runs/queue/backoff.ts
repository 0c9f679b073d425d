import type { Manifest } from "../../jobs/manifest.ts";

/**
 * Milliseconds to wait before the try after `tries` failed ones: `delayMs`, doubled per failure where the backoff is
 * exponential, at most `maxDelayMs`, less up to a fifth of jitter so that jobs that failed together do not return together.
 */
export function backoffMs(retry: Manifest["retry"], tries: number, random: () => number = Math.random): number {
  const factor = retry.backoff === "exponential" ? 2 ** Math.min(tries - 1, 30) : 1;
  const full = Math.min(retry.delayMs * factor, Math.max(retry.maxDelayMs, 0));
  return Math.round(full * (1 - 0.2 * random()));
}
