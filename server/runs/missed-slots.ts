import type { FrozenSchedule } from "../jobs/manifest.ts";
import { nextSlots } from "../jobs/schedule-words.ts";

/** What is done about slots that came due while nobody ticked: `run` in order, and the stretch before them is missed. */
export type CatchUpPlan = Readonly<{ run: Date[]; missed: Stretch | null }>;

/** Slots in a row. `slots` is null where there are more than are counted. */
export type Stretch = Readonly<{ first: Date; last: Date; slots: number | null }>;

/** More slots than this are not counted one by one. */
const countLimit = 1_000;

/** Decides about the slots from `first` (a slot that is due) up to `now`, by the schedule's `catchUp`. */
export function planCatchUp(spec: FrozenSchedule, first: Date, now: Date): CatchUpPlan {
  const wanted = { none: 0, latest: 1, all: spec.catchUpMax }[spec.catchUp];
  const run = wanted === 0 ? [] : lastSlots(spec, first, now, wanted);
  const firstRun = run[0];
  if (firstRun?.getTime() === first.getTime()) return { run, missed: null };
  return { run, missed: stretch(spec, first, firstRun === undefined ? now : new Date(firstRun.getTime() - 1)) };
}

/** The stretch of slots from `first`, itself a slot, up to and including `until`. */
export function stretch(spec: FrozenSchedule, first: Date, until: Date): Stretch {
  const later = nextSlots(spec, first, countLimit).filter((slot) => slot <= until);
  if (later.length < countLimit) return { first, last: later.at(-1) ?? first, slots: later.length + 1 };
  return { first, last: lastSlots(spec, first, until, 1)[0] ?? first, slots: null };
}

/** The last `count` slots from `first`, itself a slot, up to and including `until`, in order. */
function lastSlots(spec: FrozenSchedule, first: Date, until: Date, count: number): Date[] {
  // Slots can only be asked for forwards, so bisect for the latest instant that still has `count` of them ahead in time.
  const from = first.getTime() - 1;
  const fits = (ms: number) => {
    const last = nextSlots(spec, new Date(ms), count)[count - 1];
    return last !== undefined && last <= until;
  };
  if (!fits(from)) return nextSlots(spec, new Date(from), count).filter((slot) => slot <= until);
  let low = from;
  let high = until.getTime();
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return nextSlots(spec, new Date(low), count);
}
