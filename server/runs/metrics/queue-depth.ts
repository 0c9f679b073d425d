import { sql } from "kysely";
import type { Db } from "../../store/open-store.ts";

/** Runs that have not ended, by what they wait for. */
export type QueueDepth = Readonly<{
  /** Could start now, and wait for a free worker or for another run of their job. */
  due: number;
  /** Wait for their time, a retry's for instance. */
  waiting: number;
  /** Would be due, but their job is paused. */
  paused: number;
  running: number;
  suspended: number;
  needs_decision: number;
}>;

/** The queue as it stands, with how long the oldest due run has waited, in seconds. */
export async function readQueueDepth(db: Db): Promise<{ runs: QueueDepth; oldestDueSeconds: number }> {
  const { rows } = await sql<QueueDepth & { oldest: number | null }>`
    select
      count(*) filter (where r.state = 'queued' and r.run_at <= now() and j.state = 'active')::integer as due,
      count(*) filter (where r.state = 'queued' and r.run_at > now())::integer as waiting,
      count(*) filter (where r.state = 'queued' and r.run_at <= now() and j.state <> 'active')::integer as paused,
      count(*) filter (where r.state = 'running')::integer as running,
      count(*) filter (where r.state = 'suspended')::integer as suspended,
      count(*) filter (where r.state = 'needs_decision')::integer as needs_decision,
      extract(epoch from now() - min(r.run_at) filter
        (where r.state = 'queued' and r.run_at <= now() and j.state = 'active'))::double precision as oldest
    from runs r join jobs j on j.name = r.job
    where r.state in ('queued', 'running', 'suspended', 'needs_decision')`.execute(db);
  const { oldest = null, ...runs } = rows[0] ?? { ...empty, oldest: null };
  return { runs, oldestDueSeconds: oldest ?? 0 };
}

const empty: QueueDepth = { due: 0, waiting: 0, paused: 0, running: 0, suspended: 0, needs_decision: 0 };
