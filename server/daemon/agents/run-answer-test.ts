import type { AnswerTest } from "../../agents/agents-deps.ts";
import { answerTestForm, bundleAnswerTest } from "../../agents/oracle/bundle-answer-test.ts";
import { UserError } from "../../errors.ts";
import { attemptOutcome } from "../../runs/attempt-outcome.ts";
import type { Pool } from "../../sandbox/types.ts";
import { sha256 } from "../../sha256.ts";

/** What a test gets: time to think, and nothing to touch. */
const limits = { timeoutMs: 10_000, cpuMs: 10_000, memoryMb: 128, logBytes: 100_000, effects: 100, inFlight: 10 };

/**
 * Runs the default export of a test with an answer in the sandbox, where every effect is refused; what it throws refuses the answer.
 * Throws `invalid_argument` where the test itself is none.
 */
export async function runAnswerTest(
  { pool, clock }: Readonly<{ pool: Pick<Pool, "run">; clock: () => Date }>,
  { source, answer }: AnswerTest,
  signal: AbortSignal,
): Promise<{ ok: boolean; reason: string }> {
  const bundle = await bundleAnswerTest(source);
  const refused = { name: "Error", message: "a test of an answer has no effects", code: "permission_denied" };
  const startMs = clock().getTime();
  let touched: string | undefined;
  const outcome = await pool.run({
    bundle,
    bundleHash: sha256(bundle),
    sourceMap: null,
    inputJson: JSON.stringify({ answer }),
    info: { job: "answer-test", version: 0, run: "R0", attempt: 1, trigger: "agent", slot: null, event: null },
    seed: "0".repeat(32),
    startMs,
    timezone: "UTC",
    locale: "en-US",
    limits,
    guestRuntime: null,
    onStart: async () => {},
    async onEffect({ op }, deliver) {
      touched = op;
      await deliver({ ok: false, json: JSON.stringify(refused), guestMs: startMs });
    },
    onLog: () => {},
    signal: AbortSignal.any([signal, AbortSignal.timeout(limits.timeoutMs + 5_000)]),
  });
  signal.throwIfAborted();
  if (touched !== undefined) throw unusable(`calls ${touched}, and a test of an answer has no effects`);
  if (outcome.state === "succeeded" && outcome.outputJson === '"no function"') throw unusable("exports no function");
  if (outcome.state === "succeeded") return { ok: true, reason: "" };
  const reason = outcome.state === "cancelled" ? "it did not end in time" : attemptOutcome(outcome).error?.message;
  return { ok: false, reason: reason ?? outcome.state };
}

function unusable(what: string): UserError {
  return new UserError("invalid_argument", `The test of the answer ${what}.`, { next: answerTestForm });
}
