import { randomBytes } from "node:crypto";
import type { SecretValues } from "../effects/secret-values.ts";
import type { EffectServices } from "../effects/services.ts";
import { UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Approvals, Runnable } from "../review/approvals.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { type AttemptOutcome, deniedOutcome, failedAs } from "./attempt-outcome.ts";
import { type AttemptStart, beginAttempt, findBegunAttempt } from "./begin-attempt.ts";
import { checkInput } from "./check-input.ts";
import { haltBeforeResume } from "./halt-before-resume.ts";
import type { Settlement } from "./queue/settle.ts";
import { readJournal } from "./read-journal.ts";
import { runAttempt } from "./run-attempt.ts";
import type { TooManyRuns } from "./too-many-runs.ts";
import { type RunEvent, readRunEvent } from "./triggers/run-event.ts";
import { triggerProblem } from "./triggers/trigger-problem.ts";
import { type Need, needText } from "./workers/needs.ts";
import type { Serving } from "./workers/serving.ts";

export type ExecuteDeps = Readonly<{
  store: Store;
  pool: Pool;
  approvals: Approvals;
  secrets: () => SecretValues;
  services: EffectServices;
  log: Log;
  clock: () => Date;
  worker: string;
  serving: Pick<Serving, "unmet" | "elsewhere">;
  /** `countStarts` of the store, one for the worker's life. */
  tooManyRuns: TooManyRuns;
}>;

/** Writes that an attempt begins, or goes on. Throws where the run is not, or no longer, this worker's. */
export type Begin = (start: AttemptStart) => Promise<void>;

export type AttemptDeps = ExecuteDeps & Readonly<{ begin: Begin }>;

/** A runner that dies this often without one more effect on record dies of the job itself. */
const mostFruitlessResumes = 2;

/**
 * Performs one attempt of a claimed run, or goes on with it from its journal: verifies the approval, runs the signed bundle,
 * journals every effect, and tells how it ended or why it waits. It does not settle the run. Where the store cannot be written it
 * throws, and the guest saw nothing of it. `begin` writes that the attempt begins, where that is more than usual.
 */
export async function executeRun(
  given: ExecuteDeps,
  run: Row<"runs">,
  signal: AbortSignal,
  begin: Begin = (start) => beginAttempt(given.store.db, run, given.worker, start),
): Promise<Settlement> {
  const deps: AttemptDeps = { ...given, begin };
  const begun = await findBegunAttempt(deps.store.db, run);
  const prepared = await prepare(deps, run, begun);
  if ("unmet" in prepared) return leftToOthers(deps.worker, prepared.unmet);
  if (!("runnable" in prepared)) {
    const start = { version: prepared.version, seed: randomSeed(), startMs: deps.clock().getTime(), runner: null };
    if (begun === undefined) await begin(start);
    return prepared.outcome;
  }
  return begun === undefined ? runAnew(deps, run, prepared, signal) : goOn(deps, run, prepared, begun, signal);
}

export type Prepared = Readonly<{
  runnable: Runnable;
  inputJson: string | null;
  event: RunEvent | null;
  secrets: SecretValues;
}>;

type Refused = Readonly<{ outcome: AttemptOutcome; version: number | null }>;

/** What this worker lacks and another may have. */
type Unserved = Readonly<{ unmet: readonly Need[] }>;

/** What a run needs before it may start; an attempt that has begun goes on with its own version, if that is still approved. */
async function prepare(
  { store, approvals, secrets, serving, tooManyRuns }: ExecuteDeps,
  run: Row<"runs">,
  begun: Row<"attempts"> | undefined,
): Promise<Prepared | Refused | Unserved> {
  let runnable: Runnable;
  try {
    runnable = await approvals.requireRunnable(run.job, begun?.version ?? undefined);
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    const unmet = await serving.unmet(run.job, thrown);
    if (unmet.length > 0) return { unmet };
    return { outcome: deniedOutcome(thrown.code, thrown.message), version: begun?.version ?? null };
  }
  const { version, manifest } = runnable;
  const unmet = await serving.unmet(run.job, manifest);
  if (unmet.length > 0) return { unmet };
  const event = await readRunEvent(store.db, run);
  const wrong = triggerProblem(run, event, manifest);
  if (wrong !== undefined) return { outcome: deniedOutcome("not_approved", `It does not start: ${wrong}.`), version };
  const input = checkInput(manifest.input, run.input === null ? undefined : JSON.parse(run.input));
  if (!input.ok) {
    const message = `The input is not valid: ${input.problems.slice(0, 5).join("; ")}.`;
    return { outcome: failedAs("failed", { reason: "input", class: "permanent", message }), version };
  }
  if (begun === undefined && run.attempt === 1) {
    const outcome = await tooManyRuns(run, manifest.limits);
    if (outcome !== undefined) return { outcome, version };
  }
  try {
    // A mistake in the file of secrets concerns the jobs that use one.
    const usesSecrets = Object.keys(manifest.permissions.secrets).length > 0;
    return { runnable, inputJson: input.json, event, secrets: usesSecrets ? secrets() : noSecrets };
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    const error = { reason: "secrets", class: "permanent", message: thrown.message } as const;
    return { outcome: failedAs("failed", error), version };
  }
}

const noSecrets: SecretValues = { get: () => undefined, names: () => [] };

async function runAnew(deps: AttemptDeps, run: Row<"runs">, prepared: Prepared, signal: AbortSignal) {
  const start = { seed: randomSeed(), startMs: deps.clock().getTime(), activeMs: 0, guestRuntime: null };
  const { settlement, activeMs } = await runAttempt(
    deps,
    run,
    { ...prepared, ...start, journal: [], decisions: new Map() },
    signal,
  );
  return settlement.state === "crashed"
    ? resume(deps, run, prepared, { ...start, activeMs }, settlement, signal)
    : settlement;
}

function goOn(deps: AttemptDeps, run: Row<"runs">, prepared: Prepared, begun: Row<"attempts">, signal: AbortSignal) {
  const start = {
    seed: begun.seed,
    startMs: Number(begun.start_ms),
    activeMs: Number(begun.active_ms),
    guestRuntime: begun.guest_runtime,
  };
  return resume(deps, run, prepared, start, undefined, signal);
}

type Start = Readonly<{ seed: string; startMs: number; activeMs: number; guestRuntime: string | null }>;

/**
 * Goes on from the journal, and does so again where the runner dies, for as long as that brings it further. `crash` is the death
 * that led here, if this worker saw it.
 */
async function resume(
  deps: AttemptDeps,
  run: Row<"runs">,
  prepared: Prepared,
  start: Start,
  crash: AttemptOutcome | undefined,
  signal: AbortSignal,
): Promise<Settlement> {
  const { db } = deps.store;
  let { activeMs } = start;
  let known = -1;
  for (let fruitless = 0; ; ) {
    const journal = await readJournal(db, run.id, run.attempt);
    const done = journal.filter((entry) => entry.state === "done").length;
    fruitless = done > known ? 0 : fruitless + 1;
    known = done;
    if (crash !== undefined && fruitless > mostFruitlessResumes) return crash;
    const { halt, decisions } = await haltBeforeResume(deps, run, prepared.runnable.manifest, journal);
    if (halt !== undefined) return halt;
    const ended = await runAttempt(deps, run, { ...prepared, ...start, activeMs, journal, decisions }, signal);
    if (ended.settlement.state !== "crashed") return ended.settlement;
    crash = ended.settlement;
    activeMs = ended.activeMs;
  }
}

function leftToOthers(worker: string, unmet: readonly Need[]): Settlement {
  const message = `worker ${worker} ${unmet.map((need) => needText(need)).join(", ")}`;
  return { state: "unserved", error: { reason: "unserved", class: "transient", message } };
}

function randomSeed(): string {
  return randomBytes(16).toString("hex");
}
