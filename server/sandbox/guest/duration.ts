const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of what an author writes: a number of them, or "90s", "3d" and so on. Throws a TypeError that says so. */
export function durationMs(written: unknown, what: string): number {
  if (typeof written === "number" && written >= 0 && written <= Number.MAX_SAFE_INTEGER) return Math.round(written);
  const [, amount, unit = ""] = /^\s*(\d{1,12}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)\s*$/.exec(String(written)) ?? [];
  const factor = unitMs[unit];
  if (amount === undefined || factor === undefined)
    throw new TypeError(`${what} needs milliseconds or a text such as "90s", "10m" or "3d", not ${String(written)}`);
  return Math.round(Number(amount) * factor);
}
