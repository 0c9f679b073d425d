import { sql } from "kysely";
import type { Db } from "../../store/open-store.ts";
import { countEffects, type EffectCount } from "./effect-counts.ts";
import type { MetricsWindow } from "./metrics-windows.ts";

/** Seconds; null where there is nothing to measure. */
type Percentiles = Readonly<{ p50: number | null; p95: number | null; p99: number | null }>;

export type JobFigures = Percentiles &
  Readonly<{
    job: string;
    runs: number;
    succeeded: number;
    failed: number;
    timed_out: number;
    out_of_memory: number;
    crashed: number;
    cancelled: number;
    denied: number;
    retries: number;
  }>;

/** What ended within a window. */
export type WindowSummary = Readonly<{
  window: MetricsWindow;
  /** Where it begins: later than asked for where more than `mostRuns` ended within it. */
  since: Date;
  /** Whether it reaches back as far as was asked. */
  complete: boolean;
  runs: number;
  /** Most runs first; at most `mostJobs`. */
  jobs: readonly JobFigures[];
  /** How long after their slots runs started. */
  lateness: Percentiles & Readonly<{ runs: number }>;
  /** Slots that became no run, by why, in stretches that reach into the window. */
  slots: Readonly<{ skipped: number; missed: number }>;
  effects: readonly EffectCount[];
  /** Whether these are all effects of the runs, or the first `mostEffects`. */
  effectsComplete: boolean;
}>;

/** Bounds what one question costs: the newest so many runs, whatever the window. */
const mostRuns = 50_000;
const mostEffects = 200_000;
const mostJobs = 200;

const intervals: Readonly<Record<MetricsWindow, string>> = { "1h": "1 hour", "24h": "24 hours", "7d": "7 days" };

/** Outcomes, durations, lateness and effects of the runs that ended within the window, by the database's clock. */
export async function summarizeWindow(
  db: Db,
  window: MetricsWindow,
  limits: Readonly<{ runs?: number; effects?: number }> = {},
): Promise<WindowSummary> {
  const { runs: runLimit = mostRuns, effects: effectLimit = mostEffects } = limits;
  const start = sql`now() - ${intervals[window]}::interval`;
  const recent = sql`select id, job, state, attempt, slot, started_at, finished_at from runs
    where finished_at > ${start} order by finished_at desc, id desc limit ${runLimit}`;
  const { rows: all } = await sql<{ runs: number; since: Date; first: Date | null; late: number; lateness: Listed }>`
    with recent as (${recent})
    select count(*)::integer as runs, ${start} as since, min(finished_at) as first, count(started_at - slot)::integer as late,
      ${percentiles("extract(epoch from started_at - slot)")} as lateness from recent`.execute(db);
  const [{ runs, since, first, late, lateness } = none] = all;
  const { rows: jobs } = await sql<Omit<JobFigures, keyof Percentiles> & { durations: Listed }>`
    with recent as (${recent})
    select job, count(*)::integer as runs, ${sql.raw(states.map(counted).join(", "))},
      sum(greatest(attempt - 1, 0))::integer as retries,
      ${percentiles("extract(epoch from finished_at - started_at)")} as durations
    from recent group by job order by count(*) desc, job limit ${mostJobs}`.execute(db);
  const { rows: slots } = await sql<{ skipped: number; missed: number }>`
    select coalesce(sum(slots) filter (where outcome = 'skipped'), 0)::integer as skipped,
      coalesce(sum(slots) filter (where outcome = 'missed'), 0)::integer as missed
    from skipped_slots where last_slot > ${start}`.execute(db);
  const effects = await countEffects(db, recent, effectLimit);
  const complete = runs < runLimit;
  return {
    window,
    since: complete ? since : (first ?? since),
    complete,
    runs,
    jobs: jobs.map(({ durations, ...job }) => ({ ...job, ...named(durations) })),
    lateness: { ...named(lateness), runs: late },
    slots: slots[0] ?? { skipped: 0, missed: 0 },
    effects,
    effectsComplete: effects.reduce((sum, { count }) => sum + count, 0) < effectLimit,
  };
}

type Listed = readonly (number | null)[] | null;

const states = ["succeeded", "failed", "timed_out", "out_of_memory", "crashed", "cancelled", "denied"] as const;
const none = { runs: 0, since: new Date(0), first: null, late: 0, lateness: null };

function counted(state: (typeof states)[number]): string {
  return `count(*) filter (where state = '${state}')::integer as ${state}`;
}

function percentiles(seconds: string) {
  return sql.raw<Listed>(
    `percentile_cont(array[0.5, 0.95, 0.99]) within group (order by (${seconds})::double precision)`,
  );
}

function named(values: Listed): Percentiles {
  const [p50 = null, p95 = null, p99 = null] = values ?? [];
  return { p50, p95, p99 };
}
