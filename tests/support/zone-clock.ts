/** A change of a zone's clocks: `at` is the first instant that goes by the new offset (what to add to UTC, in milliseconds). */
export type ClockChange = Readonly<{ at: number; before: number; after: number }>;

export type ZoneClock = Readonly<{
  changes: readonly ClockChange[];
  /** What the clock on the wall shows at an instant between `from` and `to`: milliseconds as if the wall were in UTC. */
  wallAt(instantMs: number): number;
}>;

/** Changes that undo one another within this time would be overlooked. */
const scanMs = 12 * 3_600_000;

/** Finds every change of a zone's clocks between two instants by asking Intl.DateTimeFormat twice a day, then halving. */
export function findZoneClock(zone: string, from: number, to: number): ZoneClock {
  const wallAt = wallReader(zone);
  const offsetAt = (instant: number) => wallAt(instant) - instant;
  const changes: ClockChange[] = [];
  const first = offsetAt(from);
  for (let low = from, before = first; low < to; low += scanMs) {
    const after = offsetAt(low + scanMs);
    if (after === before) continue;
    let [unchanged, changed] = [low, low + scanMs];
    while (changed - unchanged > 1_000) {
      const middle = unchanged + Math.floor((changed - unchanged) / 2_000) * 1_000;
      if (offsetAt(middle) === before) unchanged = middle;
      else changed = middle;
    }
    changes.push({ at: changed, before, after });
    before = after;
  }
  const [next = Number.POSITIVE_INFINITY] = changes.map(({ at }) => at);
  return {
    changes,
    wallAt: (instant) =>
      instant + (instant < next ? first : (changes.findLast((change) => change.at <= instant)?.after ?? first)),
  };
}

/** Reads what the clock on the wall of a zone shows at an instant, by Intl.DateTimeFormat alone. Whole seconds only. */
export function wallReader(zone: string): (instantMs: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  return (instantMs) => {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = (
      format.format(instantMs).match(/\d+/g) ?? []
    ).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
}
