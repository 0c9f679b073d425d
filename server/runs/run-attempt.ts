import { effects } from "../effects/table.ts";
import type { Row } from "../store/tables.ts";
import { attemptOutcome, deniedOutcome, failedAs, limitOutcome } from "./attempt-outcome.ts";
import type { AttemptVerdict } from "./attempt-verdict.ts";
import type { AttemptDeps, Prepared } from "./execute-run.ts";
import { createLogWriter } from "./log-writer.ts";
import { performEffects } from "./perform-effects.ts";
import { forgetDecision } from "./questions.ts";
import type { Settlement } from "./queue/settle.ts";
import type { JournalEntry } from "./read-journal.ts";
import { formatRunId } from "./run-id.ts";
import { suspendedAfterMs } from "./suspension.ts";

/** An attempt at its beginning, or at the point where its journal ends. */
export type AttemptState = Prepared &
  Readonly<{
    seed: string;
    startMs: number;
    /** Milliseconds in a runner before. */
    activeMs: number;
    /** The guest runtime that it began with; null for the newest. */
    guestRuntime: string | null;
    journal: readonly JournalEntry[];
    /** What a person decided of effects whose outcome is not known, by their order of issue. */
    decisions: ReadonlyMap<number, "repeat" | "skip">;
  }>;

/** Runs an attempt in one runner until it ends, is suspended, or the runner dies. `activeMs` counts what came before, too. */
export async function runAttempt(
  deps: AttemptDeps,
  run: Row<"runs">,
  state: AttemptState,
  signal: AbortSignal,
): Promise<{ settlement: Settlement; activeMs: number }> {
  const { store, pool, approvals, services, log, clock } = deps;
  const { seed, startMs, journal, decisions, secrets } = state;
  const { version, manifest, bundle, bundleHash, sourceMap } = state.runnable;
  const logWriter = createLogWriter(store.db, { runId: run.id, attempt: run.attempt });
  const performed = performEffects({
    db: store.db,
    effects,
    startMs,
    lease: run.lease,
    journal,
    async uncertain(seq) {
      const decided = decisions.get(seq) ?? (manifest.onUncertain === "repeat" ? "repeat" : "skip");
      // Should it be cut off once more, that is another question.
      if (decided === "repeat") await forgetDecision(store.db, { runId: run.id, attempt: run.attempt, seq });
      return decided;
    },
    recheck: () => approvals.recheck(run.job, version),
    context: {
      job: run.job,
      runId: run.id,
      attempt: run.attempt,
      manifest,
      seed,
      traceId: run.trace_id,
      secrets,
      services,
      clock,
      log: log.child({ trace: run.trace_id, run: formatRunId(run.id), attempt: run.attempt }),
    },
  });
  let startedAt: number | undefined;
  const activeMs = () => state.activeMs + Math.round(startedAt === undefined ? 0 : performance.now() - startedAt);
  try {
    const outcome = await pool.run({
      bundle,
      bundleHash,
      sourceMap,
      inputJson: state.inputJson,
      info: {
        job: run.job,
        version,
        run: formatRunId(run.id),
        attempt: run.attempt,
        trigger: run.trigger,
        slot: run.slot?.toISOString() ?? null,
        event: state.event,
      },
      seed,
      startMs,
      timezone: manifest.timezone,
      locale: manifest.locale,
      limits: { ...manifest.limits, timeoutMs: Math.max(1, manifest.limits.timeoutMs - state.activeMs) },
      guestRuntime: pool.runtimes().find((runtime) => runtime === state.guestRuntime) ?? null,
      async onStart(runner) {
        startedAt = performance.now();
        await deps.begin({ version, seed, startMs, runner });
      },
      recorded: performed.recorded,
      onEffect: performed.onEffect,
      onQuiet: performed.onQuiet,
      onLog: logWriter.add,
      signal: AbortSignal.any([signal, performed.stopped]),
    });
    // What is still in flight stops now, and leaves its intent in the journal before the run is settled.
    await performed.end();
    const verdict = outcome.state === "cancelled" ? performed.verdict() : undefined;
    const unplayed = outcome.state === "succeeded" || outcome.state === "failed" ? performed.unplayed() : undefined;
    if (outcome.state === "succeeded" && unplayed === undefined) {
      const settlement: Settlement = { ...attemptOutcome(outcome), log: await logWriter.takeRest() };
      return { settlement, activeMs: activeMs() };
    }
    await logWriter.finish();
    if (verdict !== undefined) return { settlement: settlementOf(verdict, activeMs()), activeMs: activeMs() };
    const settlement = unplayed === undefined ? attemptOutcome(outcome) : nondeterministic(unplayed);
    return { settlement, activeMs: activeMs() };
  } finally {
    await performed.end();
  }
}

function settlementOf(verdict: AttemptVerdict, activeMs: number): Settlement {
  switch (verdict.state) {
    case "suspended":
      return { state: "suspended", wakeAt: verdict.wakeAt, activeMs: Math.max(0, activeMs - suspendedAfterMs) };
    case "denied":
      return deniedOutcome(verdict.code, verdict.message);
    case "limit":
      return limitOutcome(verdict.limit, verdict.message);
    case "nondeterminism":
      return nondeterministic(verdict.message);
    default:
      return verdict satisfies never;
  }
}

function nondeterministic(what: string): Settlement {
  const message = `It did not do the same again when it went on from its journal. ${what} Nothing that is on record was repeated.`;
  return failedAs("failed", { reason: "nondeterminism", class: "nondeterminism", message });
}
