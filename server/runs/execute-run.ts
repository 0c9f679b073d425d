import { randomBytes } from "node:crypto";
import type { SecretValues } from "../effects/secret-values.ts";
import { effects } from "../effects/table.ts";
import { UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Approvals, Runnable } from "../review/approvals.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { type AttemptOutcome, attemptOutcome, deniedOutcome, failedAs } from "./attempt-outcome.ts";
import { beginAttempt } from "./begin-attempt.ts";
import { checkInput } from "./check-input.ts";
import { createLogWriter } from "./log-writer.ts";
import { performEffects } from "./perform-effects.ts";
import { formatRunId } from "./run-id.ts";

export type { AttemptOutcome } from "./attempt-outcome.ts";

export type ExecuteDeps = Readonly<{
  store: Store;
  pool: Pool;
  approvals: Approvals;
  secrets: () => SecretValues;
  log: Log;
  clock: () => Date;
  worker: string;
}>;

/**
 * Performs one attempt of a claimed run: verifies the approval, runs the signed bundle, journals every effect, and tells
 * how it ended. It does not settle the run. Where the store cannot be written it throws, and the guest saw nothing of it.
 */
export async function executeRun(deps: ExecuteDeps, run: Row<"runs">, signal: AbortSignal): Promise<AttemptOutcome> {
  const { store, worker } = deps;
  const seed = randomBytes(16).toString("hex");
  const startMs = deps.clock().getTime();
  const refuse = async (outcome: AttemptOutcome, version: number | null) => {
    await beginAttempt(store.db, run, worker, { version, seed, startMs, runner: null });
    return outcome;
  };

  let runnable: Runnable;
  try {
    runnable = await deps.approvals.requireRunnable(run.job);
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    return refuse(deniedOutcome(thrown.code, thrown.message), null);
  }
  const input = checkInput(runnable.manifest.input, run.input === null ? undefined : JSON.parse(run.input));
  if (!input.ok) {
    const message = `The input is not valid: ${input.problems.slice(0, 5).join("; ")}.`;
    return refuse(failedAs("failed", { reason: "input", class: "permanent", message }), runnable.version);
  }
  let secrets = noSecrets;
  try {
    // A mistake in the file of secrets concerns the jobs that use one.
    if (Object.keys(runnable.manifest.permissions.secrets).length > 0) secrets = deps.secrets();
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    const error = { reason: "secrets", class: "permanent", message: thrown.message } as const;
    return refuse(failedAs("failed", error), runnable.version);
  }
  return runInSandbox(deps, run, runnable, { seed, startMs, inputJson: input.json, secrets, signal });
}

const noSecrets: SecretValues = { get: () => undefined, names: () => [] };

type Start = Readonly<{
  seed: string;
  startMs: number;
  inputJson: string | null;
  secrets: SecretValues;
  signal: AbortSignal;
}>;

async function runInSandbox(
  { store, pool, approvals, log, clock, worker }: ExecuteDeps,
  run: Row<"runs">,
  { version, manifest, bundle, bundleHash, sourceMap }: Runnable,
  { seed, startMs, inputJson, secrets, signal }: Start,
): Promise<AttemptOutcome> {
  const ended = new AbortController();
  const logWriter = createLogWriter(store.db, { runId: run.id, attempt: run.attempt });
  let refused: UserError | undefined;
  const performed = performEffects({
    db: store.db,
    effects,
    startMs,
    async recheck() {
      try {
        await approvals.recheck(run.job, version);
      } catch (thrown) {
        if (thrown instanceof UserError) refused ??= thrown;
        throw thrown;
      }
    },
    context: {
      job: run.job,
      runId: run.id,
      attempt: run.attempt,
      manifest,
      seed,
      secrets,
      clock,
      log: log.child({ trace: run.trace_id, run: formatRunId(run.id), attempt: run.attempt }),
      signal: ended.signal,
    },
  });
  try {
    const outcome = await pool.run({
      bundle,
      bundleHash,
      sourceMap,
      inputJson,
      info: {
        job: run.job,
        version,
        run: formatRunId(run.id),
        attempt: run.attempt,
        trigger: run.trigger,
        slot: run.slot?.toISOString() ?? null,
      },
      seed,
      startMs,
      timezone: manifest.timezone,
      locale: manifest.locale,
      limits: manifest.limits,
      onStart: (runner) => beginAttempt(store.db, run, worker, { version, seed, startMs, runner }),
      onEffect: performed.onEffect,
      onLog: logWriter.add,
      signal,
    });
    await logWriter.finish();
    return attemptOutcome(outcome);
  } catch (thrown) {
    // The approval was withdrawn while the job ran.
    if (refused === undefined) throw thrown;
    await logWriter.finish();
    return deniedOutcome(refused.code, refused.message);
  } finally {
    // What is still in flight stops now, and leaves its intent in the journal before the run is settled.
    ended.abort(new DOMException("The attempt ended while this was in flight.", "AbortError"));
    await performed.idle();
  }
}
