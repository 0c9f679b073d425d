import { formatDuration } from "../duration.ts";
import type { Manifest } from "./manifest.ts";
import { formatBytes } from "./source-limits.ts";

type Limits = Manifest["limits"];

/** Each limit in words, for reviews and lists. */
export const limitWords: Readonly<Record<keyof Limits, (value: number) => string>> = {
  timeoutMs: formatDuration,
  cpuMs: (ms) => `${formatDuration(ms)} of computing`,
  memoryMb: (mb) => `${mb} MB of memory`,
  effects: (count) => `${count} effects`,
  inFlight: (count) => `${count} at a time`,
  logBytes: (bytes) => `${formatBytes(bytes)} of log`,
  requestBytes: (bytes) => `${formatBytes(bytes)} a request`,
  responseBytes: (bytes) => `${formatBytes(bytes)} a response`,
  journalBytes: (bytes) => `${formatBytes(bytes)} of journal`,
  artifactBytes: (bytes) => `${formatBytes(bytes)} of artifacts`,
  runsPerHour: (count) => `${count} runs an hour`,
};

/** The limits and tries of a manifest in one line. */
export function limitsText({ limits, retry }: Manifest): string {
  return [
    limitWords.timeoutMs(limits.timeoutMs),
    limitWords.cpuMs(limits.cpuMs),
    limitWords.memoryMb(limits.memoryMb),
    `${limitWords.effects(limits.effects)}, ${limitWords.inFlight(limits.inFlight)}`,
    limitWords.logBytes(limits.logBytes),
    limitWords.requestBytes(limits.requestBytes),
    limitWords.responseBytes(limits.responseBytes),
    limitWords.journalBytes(limits.journalBytes),
    limitWords.artifactBytes(limits.artifactBytes),
    limitWords.runsPerHour(limits.runsPerHour),
    retry.attempts === 1
      ? "1 try"
      : `${retry.attempts} tries (${retry.backoff}, from ${formatDuration(retry.delayMs)})`,
  ].join(" · ");
}
