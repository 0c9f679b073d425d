import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";

export type RetentionRequest = Readonly<{
  /** Finished runs older than this many days go. */
  days: number;
  /** Of each job, this many finished runs stay at most. */
  runsPerJob: number;
  now: Date;
  /** Rows per statement, so that no lock is held for long. */
  batch?: number;
}>;

export type RetentionResult = Readonly<{ runs: number; slots: number; blobs: number }>;

const dayMs = 86_400_000;
/** A line for a target that takes none is no news after that. */
const mostLineDays = 7;

/**
 * Deletes finished runs (with their attempts, journals and logs) beyond the limits, records of skipped slots and alerts of the same
 * age, messages that never arrived, and blobs that nothing refers to any more. Runs that wait or go on stay, whatever their age.
 */
export async function enforceRetention(
  db: Db,
  { days, runsPerJob, now, batch = 500 }: RetentionRequest,
): Promise<RetentionResult> {
  const before = new Date(now.getTime() - days * dayMs);
  const old = await inBatches(() =>
    sql`delete from runs where id in (
      select id from runs where finished_at < ${before}::timestamptz limit ${batch})`.execute(db),
  );
  let surplus = 0;
  const jobs = await db.selectFrom("jobs").select("name").execute();
  for (const { name } of jobs) {
    // Dead letters are counted apart, so that the runs of a busy job do not push one out before anybody has seen it.
    for (const dead of [false, true]) {
      surplus += await inBatches(() =>
        sql`delete from runs where id in (
          select id from runs where job = ${name} and finished_at is not null and dead = ${dead}
          order by id desc offset ${runsPerJob} limit ${batch})`.execute(db),
      );
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

/** A blob younger than a day may be about to be referred to by a transaction that has not committed yet. */
function deleteBlobs(db: Db, now: Date, batch: number): Promise<number> {
  const before = new Date(now.getTime() - dayMs);
  return inBatches(() =>
    sql`delete from blobs where created_at < ${before}::timestamptz and hash in (
      select b.hash from blobs b where b.created_at < ${before}::timestamptz
        and not exists (select 1 from journal j where j.result_hash = b.hash)
        and not exists (select 1 from journal j where j.args_hash = b.hash)
        and not exists (select 1 from versions v where b.hash in (v.bundle_hash, v.source_map_hash))
        and b.hash not in (select (regexp_matches(v.snapshot, 'sha256:[0-9a-f]{64}', 'g'))[1] from versions v)
      limit ${batch})`.execute(db),
  );
}

async function inBatches(deleteSome: () => Promise<{ numAffectedRows?: bigint | undefined }>): Promise<number> {
  let total = 0;
  for (;;) {
    const deleted = Number((await deleteSome()).numAffectedRows ?? 0n);
    if (deleted === 0) return total;
    total += deleted;
  }
}
