const hourMs = 3_600_000;

/** What the clock on the wall of a time zone shows, as milliseconds that would be that time in UTC. */
export type WallClock = Readonly<{
  wallAt(instantMs: number): number;
  /** The first instant at which the clock shows `wallMs`, or has jumped past it. */
  firstInstantOf(wallMs: number): number;
}>;

/** One per zone that is in use: making a format takes longer than everything else here. */
const known = new Map<string, WallClock>();

/** Throws RangeError for a zone that is not known. */
export function wallClock(timezone: string): WallClock {
  const clock = known.get(timezone) ?? makeWallClock(timezone);
  known.set(timezone, clock);
  return clock;
}

function makeWallClock(timezone: string): WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });

  function offsetAt(instantMs: number): number {
    const fields = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]));
    const field = (type: Intl.DateTimeFormatPartTypes) => fields.get(type) ?? 0;
    const wall = new Date(0);
    wall.setUTCFullYear(field("year"), field("month") - 1, field("day"));
    wall.setUTCHours(field("hour"), field("minute"), field("second"));
    return wall.getTime() - Math.floor(instantMs / 1_000) * 1_000;
  }

  function firstInstantOf(wallMs: number): number {
    // Offsets lie between -12 and +14 hours, so the clock shows it between these two instants, if it ever does.
    const before = offsetAt(wallMs - 15 * hourMs);
    const after = offsetAt(wallMs + 13 * hourMs);
    for (const offset of [before, after]) {
      if (offsetAt(wallMs - offset) === offset) return wallMs - offset;
    }
    // Neither fits: the clocks are put forward past it. It fits no instant before the change, and all after it are later.
    let early = wallMs - after;
    let late = wallMs - before;
    while (late - early > 1) {
      const middle = Math.floor((early + late) / 2);
      if (offsetAt(middle) === before) early = middle;
      else late = middle;
    }
    return late;
  }

  return { wallAt: (instantMs) => instantMs + offsetAt(instantMs), firstInstantOf };
}
