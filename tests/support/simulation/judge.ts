import type { FrozenSchedule } from "../../../server/jobs/manifest.ts";
import { onTimeMs } from "../../../server/runs/fire-slots.ts";
import { isFinal } from "../../../server/runs/run-states.ts";
import type { Db } from "../../../server/store/open-store.ts";
import type { Row } from "../../../server/store/tables.ts";
import { readReferenceCron } from "../reference-cron.ts";
import { referenceSlots } from "../reference-slots.ts";
import { findZoneClock } from "../zone-clock.ts";
import type { World } from "./daemon.ts";

/** For how long a job had which schedule: slots after `from`, up to and including `to`. */
export type Epoch = Readonly<{ job: string; schedule: FrozenSchedule; from: number; to: number }>;

export type Judgement = Readonly<{
  problems: readonly string[];
  figures: Readonly<Record<"slots" | "ran" | "skipped" | "missed" | "deadline", number>>;
}>;

type Judged = Readonly<{
  db: Db;
  epochs: readonly Epoch[];
  seen: World["seen"];
  /** Whether every clock was right at that time, and for hours before and after. */
  steadyAt(ms: number): boolean;
}>;

const iso = (ms: number) => new Date(ms).toISOString();

/** Whether each slot, as the reference counts them, has exactly one outcome on record, and nothing else has any. */
export async function judge({ db, epochs, seen, steadyAt }: Judged): Promise<Judgement> {
  const runs = await db.selectFrom("runs").selectAll().orderBy("id").execute();
  const skips = await db.selectFrom("skipped_slots").selectAll().orderBy("slot").execute();
  const problems = runs.flatMap((run) => runProblems(run, seen));
  const figures = { slots: 0, ran: 0, skipped: 0, missed: 0, deadline: 0 };
  const ticks = Float64Array.from(seen.ticks).sort();
  for (const job of new Set(epochs.map((epoch) => epoch.job))) {
    const slots = epochs.filter((epoch) => epoch.job === job).flatMap(slotsOf);
    const wanted = new Set(slots);
    const jobRuns = runs.filter((run) => run.job === job);
    const jobSkips = skips.filter((skip) => skip.job === job);
    figures.slots += slots.length;
    for (const slot of slots) {
      const ran = jobRuns.filter((run) => run.slot?.getTime() === slot);
      const skipped = jobSkips.filter((skip) => skip.slot.getTime() <= slot && slot <= skip.last_slot.getTime());
      const outcomes = [...ran.map(({ id, state }) => `R${id} ${state}`), ...skipped.map(({ reason }) => reason)];
      if (outcomes.length !== 1) problems.push(`${job} ${iso(slot)} has ${outcomes.length} outcomes: ${outcomes}`);
      const [run, skip] = [ran[0], skipped[0]];
      if (run !== undefined) figures[wasMissed(run) ? "deadline" : "ran"] += 1;
      if (skip !== undefined) figures[skip.outcome] += 1;
      if (skip?.outcome === "missed" && steadyAt(slot) && hasBetween(ticks, slot, slot + onTimeMs)) {
        problems.push(`${job} ${iso(slot)} is recorded as missed, though a daemon ticked in time`);
      }
      const [, blocker] = /^R(\d+) had not ended$/.exec(skip?.reason ?? "") ?? [];
      const blocking = jobRuns.find(({ id }) => id === Number(blocker));
      if (blocker !== undefined && steadyAt(slot) && !wasLive(blocking, slot)) {
        problems.push(`${job} ${iso(slot)} was skipped for R${blocker}, which did not go on then`);
      }
    }
    for (const { id, slot } of jobRuns) {
      if (slot === null || !wanted.has(slot.getTime()))
        problems.push(`R${id} of ${job} is for no slot: ${slot?.toISOString()}`);
    }
    for (const skip of jobSkips) problems.push(...stretchProblems(skip, slots, wanted));
  }
  return { problems, figures };
}

function slotsOf({ schedule, from, to }: Epoch): number[] {
  const minute = 60_000;
  const first = Math.floor(from / minute) * minute;
  const { wallAt } = findZoneClock(schedule.timezone, first - 5 * 3_600_000, to);
  const slots = referenceSlots(readReferenceCron(schedule.cron), wallAt, { from: first, to });
  return slots.filter((slot) => slot > from);
}

function runProblems(run: Row<"runs">, { ends, claims }: World["seen"]): string[] {
  const problems: string[] = [];
  const ended = ends.get(run.id) ?? [];
  if (!isFinal(run.state)) problems.push(`R${run.id} of ${run.job} is still ${run.state}`);
  if (ended.length > 1) problems.push(`R${run.id} of ${run.job} ended more than once: ${ended}`);
  if (run.state !== "cancelled" && ended[0] !== run.state) {
    problems.push(`R${run.id} of ${run.job} is ${run.state}, and its workers saw it end as ${ended[0]}`);
  }
  if ((claims.get(run.id) ?? 0) !== run.lease) problems.push(`R${run.id} was claimed otherwise than its lease counts`);
  return problems;
}

function wasMissed({ state, attempt, error }: Row<"runs">): boolean {
  return state === "cancelled" && attempt === 0 && (error ?? "").includes('"start_deadline"');
}

function wasLive(run: Row<"runs"> | undefined, slot: number): boolean {
  if (run === undefined) return false;
  return run.created_at.getTime() <= slot + onTimeMs && (run.finished_at?.getTime() ?? 0) >= slot;
}

function stretchProblems(skip: Row<"skipped_slots">, slots: readonly number[], wanted: ReadonlySet<number>): string[] {
  const [first, last] = [skip.slot.getTime(), skip.last_slot.getTime()];
  const held = slots.filter((slot) => first <= slot && slot <= last).length;
  const name = `the record of ${skip.job} from ${iso(first)} to ${iso(last)}`;
  return [
    ...(wanted.has(first) && wanted.has(last) ? [] : [`${name} does not begin and end with slots`]),
    ...(skip.slots === null || skip.slots === held ? [] : [`${name} counts ${skip.slots} slots and holds ${held}`]),
    ...(skip.slots === null && held <= 1_000 ? [`${name} does not count ${held} slots`] : []),
  ];
}

/** Whether a value of a sorted list lies from `low` to `high`. */
function hasBetween(sorted: Float64Array, low: number, high: number): boolean {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] ?? 0) < low) from = middle + 1;
    else to = middle;
  }
  return (sorted[from] ?? Number.POSITIVE_INFINITY) <= high;
}
