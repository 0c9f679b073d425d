export type Random = Readonly<{
  /** From 0 up to 1. */
  next(): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  /** Between the two, small ones as likely as large ones by their order of magnitude. */
  spread(low: number, high: number): number;
}>;

/** Numbers that a seed fixes (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed;
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  return {
    next,
    chance: (probability) => next() < probability,
    pick(from) {
      const [first] = from;
      const chosen = from[Math.floor(next() * from.length)] ?? first;
      if (chosen === undefined) throw new Error("nothing to pick from");
      return chosen;
    },
    whole: (low, high) => low + Math.floor(next() * (high - low + 1)),
    spread: (low, high) => low * (high / low) ** next(),
  };
}
