import { sql } from "kysely";
import { databaseTime } from "../../store/database-time.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { raiseAlert, resolveAlert } from "../alerts.ts";
import { questionAlertKey } from "../failure-alert.ts";
import { missedRunAlert } from "../missed-alert.ts";
import { type RunError, readRunError } from "../run-error.ts";
import { sendNotice } from "../run-notices.ts";
import { startFollowers } from "../triggers/start-followers.ts";
import { wakeParent } from "../wake-parent.ts";
import { lostAfterMs } from "./heartbeat.ts";
import { findRetryPolicy } from "./retry-policy.ts";
import { settle } from "./settle.ts";

export type ReapRequest = Readonly<{
  /** Every lease that is not this worker's is lost, whatever its age. Only for a store that no other process can open. */
  onlyWorker?: string | undefined;
  now?: Date | undefined;
  random?: (() => number) | undefined;
}>;

/**
 * Takes back what nobody works on any more: attempts whose lease was lost (they go on from their journal), and ends
 * queued runs that missed their start deadline, and queued runs of retired jobs. Returns the runs that it changed.
 */
export async function reap(db: Db, request: ReapRequest = {}): Promise<Row<"runs">[]> {
  const lost = await inTransaction(db, (trx) => reapLost(trx, request));
  const expired = await inTransaction(db, (trx) => expireQueued(trx, request.now));
  return [...lost, ...expired];
}

async function reapLost(trx: Db, { onlyWorker, now, random }: ReapRequest): Promise<Row<"runs">[]> {
  const at = databaseTime(now);
  const dead = await trx
    .selectFrom("runs")
    .select(["id", "attempt", "lease", "lease_owner"])
    .where("state", "=", "running")
    .where((eb) =>
      onlyWorker === undefined
        ? eb("heartbeat_at", "<", sql<Date>`${at} - ${lostAfterMs}::integer * interval '1 millisecond'`)
        : eb("lease_owner", "is distinct from", onlyWorker),
    )
    .orderBy("id")
    .limit(100)
    .forUpdate()
    .skipLocked()
    .execute();
  const changed: Row<"runs">[] = [];
  for (const { id: runId, attempt, lease, lease_owner } of dead) {
    const message = `worker ${lease_owner ?? "unknown"} stopped without a word during attempt ${attempt}`;
    const run = await settle(trx, {
      runId,
      attempt,
      lease,
      outcome: { state: "lost", error: { reason: "crashed", class: "transient", message } },
      retry: await findRetryPolicy(trx, { id: runId, attempt }),
      now,
      random,
    });
    if (run !== undefined) changed.push(run);
  }
  return changed;
}

async function expireQueued(trx: Db, now: Date | undefined): Promise<Row<"runs">[]> {
  const at = databaseTime(now);
  const { rows } = await sql<Row<"runs">>`
    update runs set state = 'cancelled', finished_at = ${at}, error = case
      when j.state = 'retired' then ${refusal("job_retired", "the job was retired before this run could start")}
      when runs.cancel_requested_at is not null then runs.error
      else ${refusal("start_deadline", "missed: it could not start within the schedule's startDeadline")} end
    from jobs j
    where j.name = runs.job and runs.state in ('queued', 'suspended')
      and (j.state = 'retired' or runs.cancel_requested_at is not null or (runs.start_by < ${at} and runs.attempt = 0))
    returning runs.*`.execute(trx);
  for (const run of rows) {
    await trx
      .updateTable("attempts")
      .set({ state: "cancelled", ended_at: at })
      .where("run_id", "=", run.id)
      .where("ended_at", "is", null)
      .execute();
    await resolveAlert(trx, { key: questionAlertKey(run.id), now });
    if (readRunError(run.error)?.reason === "start_deadline") await raiseAlert(trx, { ...missedRunAlert(run), now });
    await wakeParent(trx, run, now);
    await startFollowers(trx, run, now);
    await sendNotice(trx, { kind: "ended", runId: run.id });
  }
  return rows;
}

function refusal(reason: RunError["reason"], message: string): string {
  return JSON.stringify({ reason, class: "policy", message } satisfies RunError);
}
