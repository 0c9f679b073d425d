import { formatDuration } from "./duration.ts";
import type { Manifest } from "./manifest.ts";
import { formatBytes } from "./source-limits.ts";

/** The limits and tries of a manifest in one line, for reviews and lists. */
export function limitsText({ limits, retry }: Manifest): string {
  return [
    formatDuration(limits.timeoutMs),
    `${limits.memoryMb} MB of memory`,
    `${limits.effects} effects`,
    `${formatBytes(limits.logBytes)} of log`,
    `${formatBytes(limits.responseBytes)} a response`,
    retry.attempts === 1
      ? "1 try"
      : `${retry.attempts} tries (${retry.backoff}, from ${formatDuration(retry.delayMs)})`,
  ].join(" · ");
}
