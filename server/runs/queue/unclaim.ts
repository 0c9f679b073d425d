import { sql } from "kysely";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import type { RunError } from "../run-error.ts";
import { formatNotice, runsChannel } from "../run-notices.ts";

/**
 * Puts a run back as if its claim had not been: it keeps its place in the queue, and neither a try nor a loss is counted. Undefined
 * where the lease does not hold the run any more.
 */
export async function unclaim(
  db: Db,
  { runId, lease, error }: Readonly<{ runId: number; lease: number; error: RunError }>,
): Promise<Row<"runs"> | undefined> {
  const { rows } = await sql<Row<"runs">>`
    with held as (
      select id, attempt from runs where id = ${runId} and lease = ${lease} and state = 'running' for update
    ), begun as (
      update attempts set state = 'suspended' from held
      where attempts.run_id = held.id and attempts.attempt = held.attempt returning attempts.run_id
    ), back as (
      update runs set state = 'queued', lease_owner = null, heartbeat_at = null, error = ${JSON.stringify(error)},
        resumes = exists (select 1 from begun),
        attempt = runs.attempt - case when exists (select 1 from begun) then 0 else 1 end,
        started_at = case when runs.attempt = 1 and not exists (select 1 from begun) then null else started_at end
      from held where runs.id = held.id returning runs.*
    ), told as (
      select pg_notify(${runsChannel}, ${formatNotice({ kind: "queued" })}) from back
    )
    select back.* from back left join told on true`.execute(db);
  return rows[0];
}
