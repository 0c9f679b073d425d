import { sql } from "kysely";
import type { Manifest } from "../../jobs/manifest.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row, RunState } from "../../store/tables.ts";
import { raiseAlert } from "../alerts.ts";
import type { AttemptOutcome } from "../execute-run.ts";
import { failureAlert } from "../failure-alert.ts";
import { inTransaction } from "../in-transaction.ts";
import type { RunError } from "../run-error.ts";
import { formatNotice, runsChannel, sendNotice } from "../run-notices.ts";
import { backoffMs } from "./backoff.ts";
import { databaseTime } from "./database-time.ts";

/** How an attempt ended. `put_back` means that its worker stopped: no fault of the job, so it counts as no try. */
export type Settlement = AttemptOutcome | Readonly<{ state: "put_back"; error: RunError }>;

export type SettleRequest = Readonly<{
  runId: number;
  /** The fencing token: a run that was claimed again since is left alone. */
  attempt: number;
  outcome: Settlement;
  /** The retry policy of the version that ran; null for none. */
  retry: Manifest["retry"] | null;
  now?: Date | undefined;
  random?: (() => number) | undefined;
}>;

/**
 * Ends an attempt: the run becomes final, or goes back to the queue to be retried or resumed elsewhere.
 * Returns undefined, and changes nothing, where the attempt does not hold the run any more.
 */
export async function settle(db: Db, request: SettleRequest): Promise<Row<"runs"> | undefined> {
  const { runId, attempt, outcome, now } = request;
  if (outcome.state === "succeeded") return succeed(db, request, outcome.output);
  return inTransaction(db, async (trx) => {
    const held = await trx
      .selectFrom("runs")
      .select(["id", "cancel_requested_at"])
      .where("id", "=", runId)
      .where("attempt", "=", attempt)
      .where("state", "=", "running")
      .forUpdate()
      .executeTakeFirst();
    if (held === undefined) return undefined;

    const error = outcome.error === null ? null : JSON.stringify(outcome.error);
    const ended: RunState = outcome.state === "put_back" ? "cancelled" : outcome.state;
    await trx
      .updateTable("attempts")
      .set({ state: ended, error, ended_at: databaseTime(now) })
      .where("run_id", "=", runId)
      .where("attempt", "=", attempt)
      .execute();

    const next = await nextStep(trx, request, held.cancel_requested_at !== null);
    const run = await trx
      .updateTable("runs")
      .set({ lease_owner: null, heartbeat_at: null, error })
      .set(
        next.state === "queued"
          ? {
              state: "queued",
              run_at: sql<Date>`${databaseTime(now)} + ${next.delayMs}::integer * interval '1 millisecond'`,
            }
          : { state: next.state, finished_at: databaseTime(now), output: "output" in outcome ? outcome.output : null },
      )
      .where("id", "=", runId)
      .returningAll()
      .executeTakeFirstOrThrow();
    if (next.state !== "queued") await tell(trx, run, now);
    await sendNotice(trx, next.state === "queued" ? { kind: "queued" } : { kind: "ended", runId });
    return run;
  });
}

/** What nearly every run ends with, so it takes one statement, which is a transaction of its own. */
async function succeed(
  db: Db,
  { runId, attempt, now }: SettleRequest,
  output: string | null,
): Promise<Row<"runs"> | undefined> {
  const at = databaseTime(now);
  const { rows } = await sql<Row<"runs">>`
    with ended as (
      update runs set state = 'succeeded', output = ${output}, error = null, finished_at = ${at},
        lease_owner = null, heartbeat_at = null
      where id = ${runId} and attempt = ${attempt} and state = 'running' returning *
    ), attempt_ended as (
      update attempts set state = 'succeeded', ended_at = ${at} from ended
      where attempts.run_id = ended.id and attempts.attempt = ended.attempt
    ), resolved as (
      update alerts set resolved_at = ${at} from ended
      where alerts.key = 'job:' || ended.job || ':failed' and alerts.resolved_at is null
    ), told as (
      select pg_notify(${runsChannel}, ${formatNotice({ kind: "ended", runId })}) from ended
    )
    select ended.* from ended left join told on true`.execute(db);
  return rows[0];
}

type Next = { state: "queued"; delayMs: number } | { state: AttemptOutcome["state"] };

async function nextStep(trx: Db, request: SettleRequest, cancelRequested: boolean): Promise<Next> {
  const { runId, attempt, outcome, retry } = request;
  switch (outcome.state) {
    case "succeeded":
    case "cancelled":
    case "denied":
      return { state: outcome.state };
    case "put_back":
      return cancelRequested ? { state: "cancelled" } : { state: "queued", delayMs: 0 };
    case "failed":
    case "timed_out":
    case "out_of_memory":
    case "crashed": {
      const hopeless = outcome.error?.class === "policy" || outcome.error?.class === "permanent";
      if (retry === null || retry.attempts < 2 || hopeless || cancelRequested) return { state: outcome.state };
      const putBack = await trx
        .selectFrom("attempts")
        .select((eb) => eb.fn.countAll<number | string | bigint>().as("count"))
        .where("run_id", "=", runId)
        .where("state", "=", "cancelled")
        .executeTakeFirstOrThrow();
      const tries = attempt - Number(putBack.count);
      if (tries >= retry.attempts) return { state: outcome.state };
      return { state: "queued", delayMs: backoffMs(retry, tries, request.random) };
    }
    default:
      return outcome satisfies never;
  }
}

async function tell(trx: Db, run: Row<"runs">, now: Date | undefined): Promise<void> {
  if (run.state !== "cancelled") await raiseAlert(trx, { ...failureAlert(run), runId: run.id, now });
}
