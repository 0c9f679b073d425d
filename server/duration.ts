const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration as authors write it (`"500ms"`, `"60s"`, `"10m"`, `"24h"`, `"3d"`, or a number of milliseconds); undefined for anything else. */
export function parseDuration(written: unknown): number | undefined {
  if (typeof written === "number") return Number.isSafeInteger(written) && written >= 0 ? written : undefined;
  if (typeof written !== "string") return undefined;
  const [, amount, unit] = /^\s*(\d{1,12}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)\s*$/.exec(written) ?? [];
  const factor = Object.entries(unitMs).find(([name]) => name === unit)?.[1];
  if (amount === undefined || factor === undefined) return undefined;
  const ms = Math.round(Number(amount) * factor);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** A duration in the largest unit that gives a whole number, as authors write it: `90s`, `5m`, `24h`. */
export function formatDuration(ms: number): string {
  const fits = Object.entries(unitMs).findLast(([, factor]) => ms % factor === 0);
  return fits && ms > 0 ? `${ms / fits[1]}${fits[0]}` : `${ms}ms`;
}
