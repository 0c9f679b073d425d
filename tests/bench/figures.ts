/** The value below which that share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** One line of a benchmark's answer. */
export function print(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(62)} ${value}\n`);
}
