import { sql } from "kysely";
import type { Db } from "../../store/open-store.ts";
import type { RunState } from "../../store/tables.ts";
import { type EffectCount, effectCounts } from "./effect-counts.ts";

/** A run that has ended, on whatever machine. */
export type EndedRun = Readonly<{
  id: number;
  job: string;
  state: RunState;
  /** Tries beyond the first. */
  retries: number;
  /** From its first start to its end; null where it never started. */
  seconds: number | null;
  /** How long after its slot it started; null where it has none. */
  latenessSeconds: number | null;
}>;

export type Ended = Readonly<{ runs: readonly EndedRun[]; effects: readonly EffectCount[] }>;

/** A run's end can be committed this long after its time, and is still counted. */
const overlapSeconds = 30;
const pageRows = 5_000;
/** Bounds one look after a long pause; the next goes on from there. */
const mostPages = 10;

/** A time as the database writes it, to the microsecond, and roughly. */
type Mark = Readonly<{ at: string; ms: number }>;
type Found = EndedRun & Mark;

/**
 * Makes the look at what has ended since the last one: each run once, nothing from before the first call. The cost is that of the
 * runs that ended meanwhile, whatever the history holds.
 */
export function followEndedRuns(db: Db): () => Promise<Ended> {
  let began: string | undefined;
  /** The latest end that was seen. */
  let reached: Mark = { at: "", ms: 0 };
  const seen = new Map<number, number>();

  return async () => {
    if (began === undefined) {
      reached = await databaseNow(db);
      began = reached.at;
      return { runs: [], effects: [] };
    }
    const runs: Found[] = [];
    let end: Found | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const rows = await pageAfter(db, { began, reached: reached.at, end });
      runs.push(...rows.filter(({ id }) => !seen.has(id)));
      end = rows.at(-1) ?? end;
      if (rows.length < pageRows) break;
    }
    const ids = runs.map(({ id }) => id);
    const effects = await effectCounts(db, ids);
    // Only now: a look that fails is made again from where the last one ended.
    for (const { id, ms } of runs) seen.set(id, ms);
    if (end !== undefined && end.ms > reached.ms) reached = end;
    for (const [id, ms] of seen) if (ms < reached.ms - 2 * overlapSeconds * 1_000) seen.delete(id);
    return { runs, effects };
  };
}

async function databaseNow(db: Db): Promise<Mark> {
  const { rows } = await sql<Mark>`
    select now()::text as at, extract(epoch from now())::double precision * 1000 as ms`.execute(db);
  const [mark] = rows;
  if (mark === undefined) throw new Error("the database tells no time");
  return mark;
}

type Place = Readonly<{ began: string; reached: string; end: Found | undefined }>;

async function pageAfter(db: Db, { began, reached, end }: Place): Promise<Found[]> {
  const after =
    end === undefined
      ? sql`finished_at > greatest(${began}::timestamptz, ${reached}::timestamptz - ${overlapSeconds}::integer * interval '1 second')`
      : sql`(finished_at, id) > (${end.at}::timestamptz, ${end.id}::bigint)`;
  const { rows } = await sql<Found>`
    select id, job, state, greatest(attempt - 1, 0) as retries,
      extract(epoch from finished_at - started_at)::double precision as seconds,
      extract(epoch from started_at - slot)::double precision as "latenessSeconds",
      finished_at::text as at, extract(epoch from finished_at)::double precision * 1000 as ms
    from runs where ${after} order by finished_at, id limit ${pageRows}`.execute(db);
  return rows;
}
