import type { Manifest } from "../../../server/jobs/manifest.ts";
import type { Settlement } from "../../../server/runs/queue/settle.ts";
import type { Row } from "../../../server/store/tables.ts";

/*
 * What docs/runs.md says of runs, as plain code over plain data: nothing here looks at the product's own statements.
 */

export type State = Row<"runs">["state"];
export type Outcome = Settlement["state"];
export type ErrorClass = "transient" | "permanent" | "policy" | "nondeterminism";

export type ModelRun = {
  readonly id: number;
  readonly job: string;
  readonly key: string | null;
  readonly priority: number;
  readonly concurrency: number | null;
  readonly startBy: number | null;
  readonly parent: number | null;
  state: State;
  runAt: number;
  attempt: number;
  lease: number;
  /** Whether the next claim goes on with the present attempt. */
  resumes: boolean;
  /** Whether the present attempt was begun. */
  begun: boolean;
  /** Workers that died with it in a row. */
  lost: number;
  owner: string | null;
  heartbeatAt: number;
  cancelRequested: boolean;
  endedAt: number | null;
  /** What the present attempt asks: a question of the job's, or one about an effect that was cut off. */
  asks: "ask" | "uncertain" | null;
  /** A question of the job's was answered, and the answer has not been taken up yet. */
  answered: boolean;
};

export type Lease = Readonly<{ runId: number; attempt: number; lease: number; worker: string }>;

export type Model = {
  now: number;
  readonly jobs: Map<string, Row<"jobs">["state"]>;
  readonly runs: Map<number, ModelRun>;
  /** Every lease that was ever given. */
  readonly leases: Lease[];
};

export const retry: Manifest["retry"] = { attempts: 3, backoff: "exponential", delayMs: 10_000, maxDelayMs: 15_000 };
/** When what waits for an answer alone goes on by itself. */
export const never = Date.UTC(9999, 11, 31);
const leaseMs = 6_000;
const mostLosses = 5;

export function isEnd(state: State): boolean {
  return !["queued", "running", "suspended", "needs_decision"].includes(state);
}

export function ofJob({ runs }: Model, job: string): ModelRun[] {
  return [...runs.values()].filter((run) => run.job === job);
}

/** Runs that count as going on, for overlap and for the job's concurrency. */
export function liveOf(model: Model, job: string): ModelRun[] {
  return ofJob(model, job).filter(({ state }) => state === "running" || state === "suspended");
}

/** Runs that could be claimed now if no limit of their job stood against it, in the order in which they should start. */
export function dueRuns({ now, jobs, runs }: Model): ModelRun[] {
  return [...runs.values()]
    .filter(({ job, state, runAt, cancelRequested, startBy, attempt }) => {
      if (jobs.get(job) !== "active" || cancelRequested || runAt > now) return false;
      return state === "suspended" || (state === "queued" && (startBy === null || attempt > 0 || startBy >= now));
    })
    .sort((a, b) => b.priority - a.priority || a.runAt - b.runAt || a.id - b.id);
}

export function holds(model: Model, { runId, lease }: Pick<Lease, "runId" | "lease">): ModelRun | undefined {
  const run = model.runs.get(runId);
  return run?.state === "running" && run.lease === lease ? run : undefined;
}

export function takeLease(model: Model, run: ModelRun, worker: string): Lease {
  run.state = "running";
  run.lease += 1;
  if (!run.resumes) {
    run.attempt += 1;
    run.begun = false;
    run.asks = null;
    run.answered = false;
  }
  run.resumes = false;
  run.owner = worker;
  run.heartbeatAt = model.now;
  const lease = { runId: run.id, attempt: run.attempt, lease: run.lease, worker };
  model.leases.push(lease);
  return lease;
}

/** Ends a run for good; a suspended parent is woken. */
export function end(model: Model, run: ModelRun, state: State): void {
  run.state = state;
  run.owner = null;
  run.endedAt = model.now;
  const parent = run.parent === null ? undefined : model.runs.get(run.parent);
  if (parent?.state === "suspended") parent.runAt = model.now;
}

function goOnLater(run: ModelRun, state: "queued" | "suspended", runAt: number): void {
  run.state = state;
  run.owner = null;
  run.resumes = true;
  run.runAt = runAt;
}

function failed(model: Model, run: ModelRun, state: State, cls: ErrorClass): void {
  if (cls !== "transient" || run.attempt >= retry.attempts || run.cancelRequested) {
    end(model, run, state);
    return;
  }
  run.state = "queued";
  run.owner = null;
  run.runAt = model.now + Math.min(retry.delayMs * 2 ** (run.attempt - 1), retry.maxDelayMs);
}

export type Settled = Readonly<{ state: Outcome; cls: ErrorClass; wakeMs: number | null }>;

/** What a worker that still holds the lease does to the run by letting go of it. */
export function letGo(model: Model, run: ModelRun, settled: Settled): void {
  const lost = run.lost;
  if (settled.state !== "unserved" && settled.state !== "succeeded") run.lost = 0;
  const pauses = ["suspended", "needs_decision", "put_back", "lost"].includes(settled.state);
  if (settled.state === "lost") run.lost = lost + 1;
  if (pauses && run.cancelRequested) end(model, run, "cancelled");
  else change(model, run, settled);
}

function change(model: Model, run: ModelRun, { state, cls, wakeMs }: Settled): void {
  switch (state) {
    case "succeeded":
    case "cancelled":
    case "denied":
      end(model, run, state);
      break;
    case "failed":
    case "timed_out":
    case "out_of_memory":
    case "crashed":
      failed(model, run, state, cls);
      break;
    case "suspended": {
      const childEnded = [...model.runs.values()].some(
        ({ parent, endedAt }) => parent === run.id && endedAt !== null && endedAt > model.now - 3_000,
      );
      const woken = run.answered || childEnded;
      goOnLater(run, "suspended", woken ? model.now : wakeMs === null ? never : model.now + wakeMs);
      break;
    }
    case "needs_decision":
      run.state = "needs_decision";
      run.owner = null;
      run.resumes = true;
      break;
    case "put_back":
      goOnLater(run, "queued", model.now);
      break;
    case "unserved":
      // As if it had not been claimed: only the fencing token counts on.
      run.state = "queued";
      run.owner = null;
      run.resumes = run.begun;
      if (!run.begun) run.attempt -= 1;
      break;
    case "lost":
      if (run.lost >= mostLosses) failed(model, run, "crashed", "transient");
      else goOnLater(run, "queued", model.now + (run.lost === 1 ? 0 : 1_000 * 5 ** (run.lost - 2)));
      break;
    default:
      state satisfies never;
  }
}

/** Takes back what nobody works on, and ends what can start no more. */
export function takeBack(model: Model): void {
  for (const run of [...model.runs.values()].filter(({ state }) => state === "running")) {
    if (run.heartbeatAt < model.now - leaseMs) letGo(model, run, { state: "lost", cls: "transient", wakeMs: null });
  }
  for (const run of model.runs.values()) {
    if (run.state !== "queued" && run.state !== "suspended") continue;
    const late = run.attempt === 0 && run.startBy !== null && run.startBy < model.now;
    if (late || run.cancelRequested || model.jobs.get(run.job) === "retired") end(model, run, "cancelled");
  }
}

export function cancel(model: Model, run: ModelRun): void {
  if (isEnd(run.state)) return;
  run.cancelRequested = true;
  if (run.state !== "running") end(model, run, "cancelled");
}

/** A person answers what the run asks. */
export function answer(model: Model, run: ModelRun, value: "repeat" | "skip" | "fail"): void {
  if (run.asks === "ask") {
    run.answered = true;
    if (run.state === "suspended") run.runAt = model.now;
  } else if (run.state === "needs_decision") {
    if (value === "fail") end(model, run, "failed");
    else goOnLater(run, "queued", model.now);
  }
  run.asks = null;
}
