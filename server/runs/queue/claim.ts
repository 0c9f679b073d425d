import { type RawBuilder, sql } from "kysely";
import { statementTime } from "../../store/database-time.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import { newestMigration } from "../../store/migrate.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { unsynced } from "../../store/unsynced.ts";

export type Claimed = Readonly<{
  /** In the order in which they should start; `lease` is their new fencing token. */
  runs: Row<"runs">[];
  /** Milliseconds until the next delayed run falls due, also where the limit was reached; null where none waits. */
  nextDueMs: number | null;
  /** Whether a run that is due was left behind, for want of a place here or of its job. */
  waits: boolean;
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
 * older than the database claims nothing. With `alone` nobody else can claim, and no lock is needed.
 */
export async function claim(
  db: Db,
  {
    worker,
    limit,
    except = none,
    alone = false,
    now,
  }: Readonly<{ worker: string; limit: number; except?: Except; alone?: boolean; now?: Date | undefined }>,
): Promise<Claimed> {
  if (limit <= 0) return { runs: [], nextDueMs: null, waits: true };
  const at = statementTime(now);
  const others = sql`r.job <> all(${except.jobs}::text[]) and r.id <> all(${except.runs}::bigint[])
    and (r.resumes or r.job <> all(${except.fresh}::text[]))`;
  if (alone) return claimAll(db, { worker, limit, others, at });
  return inTransaction(db, async (trx) => {
    await lockClaims(trx);
    return claimAll(trx, { worker, limit, others, at });
  });
}

/**
 * Lets one claimer at a time go on, until its transaction ends. A statement of its own: the claim's snapshot must be taken after the
 * lock is held, or two claimers could both see a job without a live run.
 */
export async function lockClaims(trx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('jobrunner.claim'))`.execute(trx);
}

type Claim = Readonly<{ worker: string; limit: number; others: RawBuilder<unknown>; at: RawBuilder<Date> }>;

async function claimAll(db: Db, { limit, ...wanted }: Claim): Promise<Claimed> {
  const runs: Row<"runs">[] = [];
  let nextDueMs: number | null = null;
  let waits = false;
  // A round looks at the first due runs only; where their jobs let few of them start, the next looks behind them. Each takes at
  // least the first that it looks at.
  for (let more = true; more && runs.length < limit; ) {
    const round = await claimRound(db, { ...wanted, limit: limit - runs.length });
    runs.push(...round.runs);
    ({ more, nextDueMs, waits } = round);
  }
  runs.sort((a, b) => b.priority - a.priority || a.run_at.getTime() - b.run_at.getTime() || a.id - b.id);
  return { runs, nextDueMs, waits };
}

/** How many due runs one round looks at, beside those whose job has no place left: what a claim costs grows with them. */
function windowOf(limit: number): number {
  return limit === 1 ? 1 : 2 * limit;
}

/** Which of its job's live runs a due one would be. The first that a round looks at has a place, and a claim of one takes no other. */
function placeOf(limit: number): RawBuilder<number> {
  if (limit === 1) return sql`1`;
  return sql`row_number() over (partition by job, state order by priority desc, run_at, id)
    + (select count(*) from runs l where l.job = first.job and l.state in ('running', 'suspended'))`;
}

type Round = Claimed & Readonly<{ more: boolean }>;

/** What a round's statement tells beside the runs, in every row; without a run there is one row. */
type Beside = Readonly<{
  claimed: boolean;
  seen: number;
  waits: boolean;
  next_due_ms: number | null;
  unsynced: string;
}>;

/**
 * Reads runs in the order of the claim: by priority, and within each by time, from the index runs_to_claim. So a claim costs what it
 * takes, not what waits; only runs whose job has no place left have to be passed over, which two hashed subqueries do: a job with n live
 * runs has the places 1 to n taken. The same statement tells when the next delayed run falls due, so that none is missed by both. Its
 * commit is not synced: a claim that power loss takes back is claimed again, and whatever matters of the attempt is synced later, and
 * with it all that was written before.
 */
async function claimRound(db: Db, { worker, limit, others, at }: Claim): Promise<Round> {
  const window = windowOf(limit);
  const { rows } = await sql<Row<"runs"> & Beside>`
    with recursive taken as materialized (
      select job, (row_number() over (partition by job))::integer as place from runs where state in ('running', 'suspended')
    ), level (priority) as (
      (select priority from runs where state in ('queued', 'suspended') order by priority desc limit 1)
      union all
      select (select r.priority from runs r where r.state in ('queued', 'suspended') and r.priority < level.priority
        order by r.priority desc limit 1)
      from level where level.priority is not null
    ), due as (
      select first.*, ${placeOf(limit)} as place
      from (
        select r.* from level cross join lateral (
          select r.id, r.job, r.priority, r.run_at, r.concurrency, r.state from runs r
          where r.priority = level.priority and r.state in ('queued', 'suspended') and r.run_at <= ${at}
            and r.cancel_requested_at is null and (r.start_by is null or r.attempt > 0 or r.start_by >= ${at})
            and (r.state = 'suspended' or r.concurrency is null
              or (r.job, r.concurrency) not in (select job, place from taken))
            and r.job not in (select name from jobs where state <> 'active')
            and ${others}
          order by r.run_at, r.id limit ${window}
        ) as r
        where not exists (select 1 from kysely_migration where name > ${newestMigration})
        order by r.priority desc, r.run_at, r.id limit ${window}
      ) as first
    ), picked as (
      select id from due where state = 'suspended' or concurrency is null or place <= concurrency
      order by priority desc, run_at, id limit ${limit}
    ), claimed as (
      update runs set state = 'running', lease = lease + 1, attempt = attempt + case when resumes then 0 else 1 end,
        resumes = false, lease_owner = ${worker}, heartbeat_at = ${at},
        started_at = coalesce(started_at, ${at})
      from picked where runs.id = picked.id and runs.state in ('queued', 'suspended')
      returning runs.*
    )
    select claimed.*, claimed.id is not null as claimed, beside.*
    from (
      select (select count(*)::integer from due) as seen, ${unsynced} as unsynced, exists (
        select 1 from runs r where r.state in ('queued', 'suspended') and r.run_at <= ${at}
          and not exists (select 1 from picked where picked.id = r.id)
      ) as waits, (
        select (extract(epoch from r.run_at - ${at}) * 1000)::double precision
        from runs r join jobs j on j.name = r.job and j.state = 'active'
        where r.state in ('queued', 'suspended') and r.run_at > ${at} and ${others}
        order by r.run_at limit 1
      ) as next_due_ms
    ) as beside left join claimed on true`.execute(db);
  const [first] = rows;
  const runs = rows.flatMap(
    ({ claimed, seen: _seen, waits: _waits, next_due_ms: _next, unsynced: _unsynced, ...run }) =>
      claimed ? [run] : [],
  );
  return {
    runs,
    nextDueMs: first?.next_due_ms ?? null,
    waits: first?.waits ?? false,
    more: runs.length > 0 && (first?.seen ?? 0) >= window,
  };
}
