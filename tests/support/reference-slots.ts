import type { ReferenceCron } from "./reference-cron.ts";

/** Longer than any stretch of time that a zone's clocks show twice. */
const runUpMs = 4 * 3_600_000;

/**
 * The slots of a schedule from `from` up to `to`, both whole minutes, by looking at the clock on the wall minute by minute, or
 * second by second, or by another `tick` that is as fine as the schedule and the change of the clocks. The rule, as docs/writing-jobs.md states it: a schedule of fixed times fires at the first moment at which
 * the clock shows one of them, or has jumped past it, and not when it comes to it again; any other fires whenever the clock
 * shows a time of it.
 */
export function referenceSlots(
  cron: ReferenceCron,
  wallAt: (instantMs: number) => number,
  { from, to, tick = cron.wholeMinutes ? 60_000 : 1_000 }: Readonly<{ from: number; to: number; tick?: number }>,
): number[] {
  const slots: number[] = [];
  let furthest = Number.NEGATIVE_INFINITY;
  for (let instant = from - runUpMs; instant <= to; instant += tick) {
    const wall = wallAt(instant);
    const fires = cron.fixed ? passes(cron, furthest, wall, tick) : cron.matches(wall);
    furthest = Math.max(furthest, wall);
    if (fires && instant >= from) slots.push(instant);
  }
  return slots;
}

/** Whether one of the times after `furthest` up to `wall` is a time of the schedule. */
function passes(cron: ReferenceCron, furthest: number, wall: number, tick: number): boolean {
  if (furthest === Number.NEGATIVE_INFINITY) return cron.matches(wall);
  for (let time = furthest + tick; time <= wall; time += tick) if (cron.matches(time)) return true;
  return false;
}
