import { type RawBuilder, sql } from "kysely";
import type { Db } from "../store/open-store.ts";

export type RetentionRequest = Readonly<{
  /** Finished runs older than this many days go. */
  days: number;
  /** Of each job, this many finished runs stay at most. */
  runsPerJob: number;
  now: Date;
  /** Rows per statement, so that no lock is held for long. */
  batch?: number;
  /** Keeps what is on record of these runs elsewhere: it is there when this resolves, and only then are they deleted. */
  archive?: ((ids: readonly number[]) => Promise<void>) | undefined;
}>;

export type RetentionResult = Readonly<{ runs: number; slots: number; blobs: number }>;

const dayMs = 86_400_000;
/** A line for a target that takes none is no news after that. */
const mostLineDays = 7;

/** No task that is left to do is about it. */
const unneeded = sql`not exists (select 1 from tasks t where t.run_id = runs.id and t.finished_at is null)`;

/**
 * Deletes finished runs (with their attempts, journals and logs) beyond the limits, records of skipped slots and alerts of the same
 * age, messages that never arrived, and blobs that nothing refers to any more. Runs that wait or go on stay, whatever their age, and those that
 * unfinished tasks are about.
 */
export async function enforceRetention(
  db: Db,
  { days, runsPerJob, now, batch = 500, archive }: RetentionRequest,
): Promise<RetentionResult> {
  const before = new Date(now.getTime() - days * dayMs);
  const deleteRuns = (which: RawBuilder<unknown>) =>
    inBatches(async () => {
      const { rows } = await sql<{ id: number }>`
        select id from runs where finished_at is not null and ${unneeded} and ${which} limit ${batch}`.execute(db);
      const ids = rows.map(({ id }) => id);
      if (ids.length > 0) await archive?.(ids);
      return sql`delete from runs where id = any(${ids}::bigint[]) and ${unneeded}`.execute(db);
    });
  const old = await deleteRuns(sql`finished_at < ${before}::timestamptz`);
  let surplus = 0;
  // One look at an index says which few jobs have that many runs; asking each of ten thousand would not end.
  const { rows: crowded } = await sql<{ job: string }>`
    select job from runs group by job having count(*) > ${runsPerJob}`.execute(db);
  for (const { job: name } of crowded) {
    // Dead letters are counted apart, so that the runs of a busy job do not push one out before anybody has seen it.
    for (const dead of [false, true]) {
      surplus += await deleteRuns(sql`job = ${name} and dead = ${dead} order by id desc offset ${runsPerJob}`);
    }
  }
  const slots = await inBatches(() =>
    sql`delete from skipped_slots where (job, schedule_key, slot) in (
      select job, schedule_key, slot from skipped_slots where last_slot < ${before}::timestamptz limit ${batch})`.execute(
      db,
    ),
  );
  await inBatches(() =>
    sql`delete from alerts where key in (
    select key from alerts where resolved_at < ${before}::timestamptz limit ${batch})`.execute(db),
  );
  const stale = new Date(now.getTime() - mostLineDays * dayMs);
  await inBatches(() =>
    sql`delete from alert_lines where id in (
    select id from alert_lines where created_at < ${stale}::timestamptz limit ${batch})`.execute(db),
  );
  return { runs: old + surplus, slots, blobs: await deleteBlobs(db, now, batch) };
}

/**
 * A blob younger than a day may be about to be referred to by a transaction that has not committed yet. Looks through the blobs once,
 * in the order of their hashes, a batch at a time.
 */
async function deleteBlobs(db: Db, now: Date, batch: number): Promise<number> {
  const before = new Date(now.getTime() - dayMs);
  const { rows: files } = await sql<{ hash: string }>`
    select distinct (regexp_matches(snapshot, 'sha256:[0-9a-f]{64}', 'g'))[1] as hash
    from (select snapshot from versions union all select snapshot from definitions) as each`.execute(db);
  const sources = new Set(files.map(({ hash }) => hash));
  let deleted = 0;
  for (let after = ""; ; ) {
    const { rows } = await sql<{ hash: string; free: boolean }>`
      select hash, created_at < ${before}::timestamptz
        and not exists (select 1 from journal j where j.result_hash = page.hash)
        and not exists (select 1 from journal j where j.args_hash = page.hash)
        and not exists (select 1 from versions v where v.bundle_hash = page.hash)
        and not exists (select 1 from versions v where v.source_map_hash = page.hash)
        and not exists (select 1 from definitions d where d.bundle_hash = page.hash) as free
      from (select hash, created_at from blobs where hash > ${after} order by hash limit ${batch}) as page
      order by hash`.execute(db);
    const last = rows.at(-1);
    if (last === undefined) return deleted;
    after = last.hash;
    const unused = rows.flatMap(({ hash, free }) => (free && !sources.has(hash) ? [hash] : []));
    if (unused.length === 0) continue;
    // Whoever refers to a blob again puts it again, which makes it young.
    const gone = await sql`
      delete from blobs where hash = any(${unused}::text[]) and created_at < ${before}::timestamptz`.execute(db);
    deleted += Number(gone.numAffectedRows ?? 0n);
  }
}

async function inBatches(deleteSome: () => Promise<{ numAffectedRows?: bigint | undefined }>): Promise<number> {
  let total = 0;
  for (;;) {
    const deleted = Number((await deleteSome()).numAffectedRows ?? 0n);
    if (deleted === 0) return total;
    total += deleted;
  }
}
