import { type RawBuilder, sql } from "kysely";
import type { Manifest } from "../../jobs/manifest.ts";
import { databaseTime } from "../../store/database-time.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row, RunState } from "../../store/tables.ts";
import { raiseAlert, resolveAlert } from "../alerts.ts";
import type { AttemptOutcome } from "../attempt-outcome.ts";
import { failureAlert, questionAlertKey } from "../failure-alert.ts";
import type { RunError } from "../run-error.ts";
import { formatNotice, runsChannel, sendNotice } from "../run-notices.ts";
import { isFailure, isFinal } from "../run-states.ts";
import { startFollowers } from "../triggers/start-followers.ts";
import { wakeParent } from "../wake-parent.ts";
import { backoffMs } from "./backoff.ts";
import { unclaim } from "./unclaim.ts";

/** The attempt goes on later, from its journal: when it is time, or when what it waits for has happened. */
export type Suspension = Readonly<{
  state: "suspended";
  /** Null where only an answer wakes it. */
  wakeAt: Date | null;
  /** Milliseconds in a runner so far. */
  activeMs: number;
}>;

/** The attempt cannot go on before a person has answered an open question of it. */
export type Halt = Readonly<{ state: "needs_decision"; error: RunError }>;

/**
 * How a worker lets go of a run. `put_back` means that it stopped, `lost` that it died: the attempt goes on from its journal,
 * unless it was lost too often.
 */
export type Settlement =
  | AttemptOutcome
  | Suspension
  | Halt
  | Readonly<{ state: "put_back"; error: RunError }>
  /** The worker cannot serve it, as another may: nothing of it was begun. */
  | Readonly<{ state: "unserved"; error: RunError }>
  | Readonly<{ state: "lost"; error: RunError }>;

/** A run that takes its worker down this often in a row is given up at this attempt. */
const mostLosses = 5;
/** When a run that waits for an answer alone would be looked at. */
const never = new Date("9999-12-31T00:00:00Z");

export type SettleRequest = Readonly<{
  runId: number;
  attempt: number;
  /** The fencing token: a run that was claimed again since is left alone. */
  lease: number;
  outcome: Settlement;
  /** The retry policy of the version that ran; null for none. */
  retry: Manifest["retry"] | null;
  /** What started it, where that is known: what only concerns a child or a slot is not looked for then. */
  run?: Pick<Row<"runs">, "parent_run" | "schedule_key"> | undefined;
  now?: Date | undefined;
  random?: (() => number) | undefined;
}>;

/**
 * Ends an attempt: the run becomes final, or goes back to the queue to be retried or resumed elsewhere.
 * Returns undefined, and changes nothing, where the attempt does not hold the run any more.
 */
export async function settle(db: Db, request: SettleRequest): Promise<Row<"runs"> | undefined> {
  const { runId, attempt, lease, outcome, now } = request;
  if (outcome.state === "succeeded") return succeed(db, request, outcome);
  if (outcome.state === "unserved") return unclaim(db, { runId, lease, error: outcome.error });
  return inTransaction(db, async (trx) => {
    const held = await trx
      .selectFrom("runs")
      .select(["id", "lost", "cancel_requested_at"])
      .where("id", "=", runId)
      .where("lease", "=", lease)
      .where("state", "=", "running")
      .forUpdate()
      .executeTakeFirst();
    if (held === undefined) return undefined;

    const next = nextStep({ ...request, outcome }, held);
    const at = databaseTime(now);
    const error = "error" in outcome && outcome.error !== null ? JSON.stringify(outcome.error) : null;
    await trx
      .updateTable("attempts")
      .set({
        state: next.attempt,
        error,
        ended_at: next.resumes ? null : at,
        ...(outcome.state === "suspended" ? { active_ms: outcome.activeMs } : {}),
      })
      .where("run_id", "=", runId)
      .where("attempt", "=", attempt)
      .execute();
    const run = await trx
      .updateTable("runs")
      .set({
        state: next.run,
        lease_owner: null,
        heartbeat_at: null,
        error,
        resumes: next.resumes,
        dead: isFailure(next.run),
        lost: outcome.state === "lost" ? held.lost + 1 : 0,
        ...(await whenNext(trx, request, next)),
      })
      .where("id", "=", runId)
      .returningAll()
      .executeTakeFirstOrThrow();
    // What the attempt had asked asks nobody any more.
    if (!next.resumes) await resolveAlert(trx, { key: questionAlertKey(runId), now });
    if (isFinal(run.state) && run.state !== "cancelled") await raiseAlert(trx, { ...failureAlert(run), runId, now });
    if (run.finished_at !== null) {
      await wakeParent(trx, run, now);
      await startFollowers(trx, run, now);
    }
    await sendNotice(trx, run.state === "queued" ? { kind: "queued" } : { kind: "ended", runId });
    return run;
  });
}

/** What nearly every run ends with, so it takes one statement where no job runs after it. */
async function succeed(db: Db, request: SettleRequest, outcome: AttemptOutcome): Promise<Row<"runs"> | undefined> {
  const alone = await writeSuccess(
    db,
    request,
    outcome,
    sql`not exists (select 1 from after_triggers where source = runs.job)`,
  );
  if (alone !== undefined) return alone;
  return inTransaction(db, async (trx) => {
    const run = await writeSuccess(trx, request, outcome, sql`true`);
    if (run !== undefined) await startFollowers(trx, run, request.now);
    return run;
  });
}

async function writeSuccess(
  db: Db,
  { runId, attempt, lease, run, now }: SettleRequest,
  { output, log = [] }: AttemptOutcome,
  only: RawBuilder<unknown>,
): Promise<Row<"runs"> | undefined> {
  const at = databaseTime(now);
  const logged = sql`, logged as (
      insert into run_logs (run_id, attempt, n, level, text, at)
      select ended.id, ${attempt}::integer, line.* from ended, unnest(
        ${log.map(({ n }) => n)}::integer[], ${log.map(({ level }) => level)}::text[],
        ${log.map(({ text }) => text)}::text[], ${log.map((line) => line.at)}::timestamptz[]
      ) as line on conflict do nothing
    )`;
  const superseded = sql`, superseded as (
      update runs set dead = false from ended
      where runs.dead and runs.job = ended.job and runs.schedule_key = ended.schedule_key and runs.slot < ended.slot
    )`;
  const woken = sql`, woken as (
      update runs set run_at = ${at} from ended where runs.id = ended.parent_run and runs.state = 'suspended'
    )`;
  const { rows } = await sql<Row<"runs">>`
    with ended as (
      update runs set state = 'succeeded', output = ${output}, error = null, finished_at = ${at},
        lease_owner = null, heartbeat_at = null
      where id = ${runId} and lease = ${lease} and state = 'running'
        and ${only} returning *
    ), attempt_ended as (
      update attempts set state = 'succeeded', ended_at = ${at}
      where run_id = ${runId} and attempt = ${attempt} and exists (select 1 from ended)
    ), resolved as (
      update alerts set resolved_at = ${at} from ended
      where alerts.key in ('job:' || ended.job || ':failed', 'run:R' || ended.id || ':question')
        and alerts.resolved_at is null
    )${log.length > 0 ? logged : sql``}${run?.schedule_key === null ? sql`` : superseded}${
      run?.parent_run === null ? sql`` : woken
    }, told as (
      select pg_notify(${runsChannel}, ${formatNotice({ kind: "ended", runId })}) from ended
    )
    select ended.* from ended left join told on true`.execute(db);
  return rows[0];
}

type Next = Readonly<{ run: RunState; attempt: RunState; resumes: boolean; delayMs: number }>;

type Ending = SettleRequest & Readonly<{ outcome: Exclude<Settlement, { state: "unserved" }> }>;

function nextStep(request: Ending, held: { lost: number; cancel_requested_at: Date | null }): Next {
  const { attempt, outcome, retry } = request;
  const ends = (state: RunState): Next => ({ run: state, attempt: state, resumes: false, delayMs: 0 });
  const goesOn = (run: RunState, state: RunState): Next => ({ run, attempt: state, resumes: true, delayMs: 0 });
  const cancelRequested = held.cancel_requested_at !== null;
  switch (outcome.state) {
    case "succeeded":
    case "cancelled":
    case "denied":
      return ends(outcome.state);
    case "put_back":
      return cancelRequested ? ends("cancelled") : goesOn("queued", "suspended");
    case "suspended":
      return cancelRequested ? ends("cancelled") : goesOn("suspended", "suspended");
    case "needs_decision":
      return cancelRequested ? ends("cancelled") : goesOn("needs_decision", "needs_decision");
    case "lost":
      if (cancelRequested) return ends("cancelled");
      if (held.lost + 1 >= mostLosses) return retried("crashed");
      // At once after the first loss, then after 1, 5 and 25 seconds: what took it down may still be there.
      return { ...goesOn("queued", "suspended"), delayMs: held.lost === 0 ? 0 : 1_000 * 5 ** (held.lost - 1) };
    case "failed":
    case "timed_out":
    case "out_of_memory":
    case "crashed":
      return retried(outcome.state);
    default:
      return outcome satisfies never;
  }

  function retried(state: RunState): Next {
    const kind = "error" in outcome ? outcome.error?.class : undefined;
    const hopeless = kind === "policy" || kind === "permanent" || kind === "nondeterminism";
    if (retry === null || attempt >= retry.attempts || hopeless || cancelRequested) return ends(state);
    return { run: "queued", attempt: state, resumes: false, delayMs: backoffMs(retry, attempt, request.random) };
  }
}

/** The columns that say when it goes on, or that it has ended. */
async function whenNext(trx: Db, { runId, attempt, outcome, now }: SettleRequest, next: Next) {
  const at = databaseTime(now);
  switch (next.run) {
    case "queued":
      return { run_at: sql<Date>`${at} + ${next.delayMs}::integer * interval '1 millisecond'` };
    case "suspended": {
      const wakeAt = outcome.state === "suspended" ? outcome.wakeAt : null;
      // What happened while it was being suspended found nobody to wake.
      const woken = (await hasAnswer(trx, runId, attempt)) || (await hasChildJustEnded(trx, runId, at));
      return { run_at: woken ? at : (wakeAt ?? never) };
    }
    case "needs_decision":
      return {};
    default:
      return { finished_at: at, output: "output" in outcome ? outcome.output : null };
  }
}

/** A run or an agent that it had asked for and that ended just before its parent was suspended. A needless waking does no harm. */
async function hasChildJustEnded(trx: Db, runId: number, at: ReturnType<typeof databaseTime>): Promise<boolean> {
  const row = await trx
    .selectFrom("runs")
    .select("id")
    .where("parent_run", "=", runId)
    .where("finished_at", ">", sql<Date>`${at} - interval '3 seconds'`)
    .executeTakeFirst();
  if (row !== undefined) return true;
  const agent = await trx
    .selectFrom("agents")
    .select("id")
    .where("parent_run", "=", runId)
    .where("finished_at", ">", sql<Date>`${at} - interval '3 seconds'`)
    .executeTakeFirst();
  return agent !== undefined;
}

async function hasAnswer(trx: Db, runId: number, attempt: number): Promise<boolean> {
  const row = await trx
    .selectFrom("questions")
    .innerJoin("journal", (join) =>
      join
        .onRef("journal.run_id", "=", "questions.run_id")
        .onRef("journal.attempt", "=", "questions.attempt")
        .onRef("journal.seq", "=", "questions.seq"),
    )
    .select("questions.seq")
    .where("questions.run_id", "=", runId)
    .where("questions.attempt", "=", attempt)
    .where("questions.answered_at", "is not", null)
    .where("journal.state", "=", "intent")
    .executeTakeFirst();
  return row !== undefined;
}
