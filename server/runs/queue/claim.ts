import { sql } from "kysely";
import { newestMigration } from "../../store/migrate.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { unsynced } from "../../store/unsynced.ts";
import { inTransaction } from "../in-transaction.ts";
import { databaseTime } from "./database-time.ts";

export type Claimed = Readonly<{
  /** In the order in which they should start; `lease` is their new fencing token. */
  runs: Row<"runs">[];
  /** Milliseconds until the next delayed run falls due; null where none waits, or where the limit was reached. */
  nextDueMs: number | null;
}>;

const none: Except = { jobs: [], fresh: [], runs: [] };

/** What a worker leaves to others. */
export type Except = Readonly<{
  jobs: readonly string[];
  /** Jobs whose attempts it does not begin; what has begun may go on here. */
  fresh: readonly string[];
  runs: readonly number[];
}>;

/**
 * Leases up to `limit` due runs to `worker`, highest priority first, never more of a job at once than its runs allow; suspended
 * ones hold their place while they wait. Runs of jobs that are not active wait, and so do those that `except` names. A program that is
 * older than the database claims nothing.
 */
export async function claim(
  db: Db,
  {
    worker,
    limit,
    except = none,
    now,
  }: Readonly<{ worker: string; limit: number; except?: Except; now?: Date | undefined }>,
): Promise<Claimed> {
  if (limit <= 0) return { runs: [], nextDueMs: null };
  return inTransaction(db, async (trx) => {
    // A statement of its own: the claim's snapshot must be taken after the lock is held, or two claimers could both
    // see a job without a live run.
    // Nor is its commit synced: a claim that power loss takes back is claimed again, and whatever matters of the attempt
    // is synced later, and with it all that was written before.
    await sql`select pg_advisory_xact_lock(hashtext('jobrunner.claim')), ${unsynced}`.execute(trx);
    const at = databaseTime(now);
    const others = sql`r.job <> all(${except.jobs}::text[]) and r.id <> all(${except.runs}::bigint[])
      and (r.resumes or r.job <> all(${except.fresh}::text[]))`;
    const { rows } = await sql<Row<"runs">>`
      with live as (
        select job, count(*) as runs from runs where state in ('running', 'suspended') group by job
      ), due as (
        select r.id, r.priority, r.run_at, r.concurrency, r.state,
          coalesce(l.runs, 0) + row_number() over (partition by r.job, r.state order by r.priority desc, r.run_at, r.id) as place
        from runs r
        join jobs j on j.name = r.job and j.state = 'active'
        left join live l on l.job = r.job
        where r.state in ('queued', 'suspended') and r.run_at <= ${at} and r.cancel_requested_at is null
          and (r.start_by is null or r.attempt > 0 or r.start_by >= ${at})
          and ${others} and not exists (select 1 from kysely_migration where name > ${newestMigration})
      ), picked as (
        select id from due where state = 'suspended' or concurrency is null or place <= concurrency
        order by priority desc, run_at, id limit ${limit}
      )
      update runs set state = 'running', lease = lease + 1, attempt = attempt + case when resumes then 0 else 1 end,
        resumes = false, lease_owner = ${worker}, heartbeat_at = ${at},
        started_at = coalesce(started_at, ${at})
      from picked where runs.id = picked.id and runs.state in ('queued', 'suspended')
      returning runs.*`.execute(trx);
    const runs = rows.sort((a, b) => b.priority - a.priority || a.run_at.getTime() - b.run_at.getTime() || a.id - b.id);
    if (runs.length >= limit) return { runs, nextDueMs: null };
    // Asked with the claim's own instant: a run that falls due between the two statements has a run_at after it, so it
    // comes back as due at once instead of being missed by both.
    const next = await sql<{ ms: number | null }>`
      select (extract(epoch from min(r.run_at) - ${at}) * 1000)::double precision as ms
      from runs r join jobs j on j.name = r.job and j.state = 'active'
      where r.state in ('queued', 'suspended') and r.run_at > ${at} and ${others}`.execute(trx);
    return { runs, nextDueMs: next.rows[0]?.ms ?? null };
  });
}
