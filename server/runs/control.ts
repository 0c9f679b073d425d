import { UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Approvals } from "../review/approvals.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db, Store } from "../store/open-store.ts";
import type { Row, RunTrigger } from "../store/tables.ts";
import { cancelRun } from "./cancel-run.ts";
import { checkInput } from "./check-input.ts";
import { concurrencyOf } from "./concurrency-of.ts";
import { recordEvent } from "./events.ts";
import { type Enqueued, enqueue, type NewRun } from "./queue/enqueue.ts";
import { requireRun } from "./read.ts";
import { formatRunId } from "./run-id.ts";
import { longestLine, readLineage } from "./triggers/lineage.ts";

export type ControlDeps = Readonly<{
  store: Store;
  approvals: Pick<Approvals, "requireManifest">;
  log: Log;
  /** Puts a run into the queue; in a process that has a worker it may start there at once. */
  enqueue?: (request: NewRun) => Promise<Enqueued>;
}>;

export type RunOrder = Readonly<{
  job: string;
  /** Plain JSON; undefined or null for none. */
  input?: unknown;
  trigger: Extract<RunTrigger, "person" | "host" | "job" | "agent">;
  /** The run that asks, where the trigger is `job`. */
  parentRun?: number | undefined;
  requestedBy: string;
  dedupeKey?: string | undefined;
  /** Instead of it: a key of a plan's node, which no caller can take. */
  planKey?: string | undefined;
  /** When it is to start; at once where it is left out. */
  start?: StartTime | undefined;
  traceId: string;
}>;

/** Not before that time, or not before so much time has passed. */
export type StartTime = Readonly<{ at: Date } | { inMs: number }>;

/**
 * Asks for a run of a job's active version. A dedupe key that was used already brings back that run, with `created: false`.
 * Throws job_not_found, job_retired, job_paused, input_invalid, permission_denied where the job's signed manifest does not let such
 * a caller in or it would wait for itself, and what `requireManifest` throws.
 */
export async function requestRun(deps: ControlDeps, order: RunOrder): Promise<{ run: Row<"runs">; created: boolean }> {
  const request = await prepareRun(deps, order);
  const result = await (deps.enqueue?.(request) ?? enqueue(deps.store.db, request));
  const { run, created } = result;
  deps.log.info({ run: run.id, job: run.job, created, trace: order.traceId }, "run requested");
  return result;
}

/** What `requestRun` puts into the queue, once everything is checked. Throws what it throws. */
export async function prepareRun(
  { store, approvals }: Pick<ControlDeps, "store" | "approvals">,
  { job, input, trigger, parentRun, requestedBy, dedupeKey, planKey, start, traceId }: RunOrder,
): Promise<NewRun> {
  const row = await store.db.selectFrom("jobs").selectAll().where("name", "=", job).executeTakeFirst();
  if (row === undefined) throw new UserError("job_not_found", `There is no job "${job}".`, { next: "job_list" });
  if (row.state === "retired") {
    throw new UserError("job_retired", `Job "${job}" was retired.`, { next: "job_submit" });
  }
  if (row.state === "paused") {
    const why = row.paused_reason === null ? "" : `: ${row.paused_reason}`;
    throw new UserError("job_paused", `Job "${job}" is paused by ${row.paused_by ?? "unknown"}${why}.`, {
      next:
        row.paused_by === "agent" ? `job_control {"name":"${job}","action":"resume"}` : `job_read {"name":"${job}"}`,
    });
  }
  const manifest = await approvals.requireManifest(job);
  if (!manifest.callers.includes(trigger)) {
    throw new UserError(
      "permission_denied",
      `The signed manifest of "${job}" lets only these ask for a run: ${manifest.callers.join(", ")}; not a ${trigger}.`,
    );
  }
  if (trigger !== "job" && dedupeKey !== undefined) requireOwnKey(dedupeKey);
  if (parentRun !== undefined) await requireNoCircle(store.db, job, parentRun);
  const checked = checkInput(manifest.input, input);
  if (!checked.ok) {
    throw new UserError(
      "input_invalid",
      `The input of "${job}" is not valid: ${checked.problems.slice(0, 5).join("; ")}.`,
      {
        next: `job_read {"name":"${job}"} shows the schema`,
      },
    );
  }
  return {
    job,
    trigger,
    input: checked.json,
    dedupeKey: planKey ?? dedupeKey,
    priority: manifest.priority,
    concurrency: concurrencyOf(manifest),
    ...startColumns(start),
    parentRun,
    requestedBy,
    traceId,
  };
}

function startColumns(start: StartTime | undefined): Pick<NewRun, "runAt" | "delayMs"> {
  if (start === undefined) return {};
  return "at" in start ? { runAt: start.at } : { delayMs: start.inMs };
}

/** Keys that triggers and jobs make: a caller that took one would keep them from starting their run. */
function requireOwnKey(dedupeKey: string): void {
  const prefix = /^(after|files|webhook|run|plan):/.exec(dedupeKey)?.[0];
  if (prefix === undefined) return;
  throw new UserError(
    "invalid_argument",
    `A dedupe key that begins with "${prefix}" belongs to what JobRunner starts itself.`,
    {
      next: "take another key",
    },
  );
}

const deepest = 8;

/** A job that waits for itself, by way of others or not, would wait for ever; and one that its own end starts would never rest. */
async function requireNoCircle(db: Db, job: string, parentRun: number): Promise<void> {
  const line = await readLineage(db, parentRun);
  const own = line.find((run) => run.job === job);
  const begin = line.findIndex(({ trigger }) => trigger !== "job");
  const nested = begin < 0 ? line.length : begin + 1;
  if (own === undefined && nested <= deepest && line.length <= longestLine) return;
  const why =
    own === undefined ? `it is ${line.length} runs deep already` : `${formatRunId(own.id)} of "${job}" led here`;
  throw new UserError("permission_denied", `No run of "${job}" is started from here: ${why}.`);
}

export type CancelOrder = Readonly<{ run: string | number; by: string; traceId?: string | null | undefined }>;

/** Cancels a run that waits or goes on. Throws run_not_found, and run_not_active where it has ended. */
export async function requestCancel(deps: Pick<ControlDeps, "store">, order: CancelOrder): Promise<Row<"runs">> {
  return inTransaction(deps.store.db, async (trx) => {
    const { id, state } = await requireRun(trx, order.run);
    const run = await cancelRun(trx, { runId: id, by: order.by });
    if (run === undefined) {
      throw new UserError("run_not_active", `${formatRunId(id)} has ended already: ${state}.`, {
        next: `run_read {"run":"${formatRunId(id)}"}`,
      });
    }
    const subject = `run:${formatRunId(id)}`;
    await recordEvent(trx, {
      kind: "run.cancelled",
      actor: order.by,
      subject,
      detail: { was: state },
      traceId: order.traceId,
    });
    return run;
  });
}
