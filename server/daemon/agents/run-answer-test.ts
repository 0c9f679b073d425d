import type { Plugin } from "esbuild";
import type { AnswerTest } from "../../agents/agents-deps.ts";
import { attemptOutcome } from "../../runs/attempt-outcome.ts";
import type { Pool } from "../../sandbox/types.ts";
import { sha256 } from "../../sha256.ts";
import { withEsbuild } from "../../with-esbuild.ts";

/** What a test gets: time to think, and nothing to touch. */
const limits = { timeoutMs: 10_000, cpuMs: 10_000, memoryMb: 128, logBytes: 100_000, effects: 100, inFlight: 10 };

const entry = `import { defineJob } from "jobrunner";
import test from "answer-test";
export default defineJob({
  description: "tests an answer",
  async run({ input }) {
    if (typeof test !== "function") throw new Error("a test needs: export default (answer) => { … }");
    await test(input.answer);
  },
});
`;

/** Runs the default export of a test with an answer in the sandbox, where every effect is refused; what it throws refuses the answer. */
export async function runAnswerTest(
  { pool, clock }: Readonly<{ pool: Pick<Pool, "run">; clock: () => Date }>,
  { source, answer }: AnswerTest,
  signal: AbortSignal,
): Promise<{ ok: boolean; reason: string }> {
  const bundled = await bundle(source);
  if (!bundled.ok) return bundled;
  const refused = { name: "Error", message: "a test of an answer has no effects", code: "permission_denied" };
  const startMs = clock().getTime();
  const outcome = await pool.run({
    bundle: bundled.code,
    bundleHash: sha256(bundled.code),
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
    onEffect: async (_, deliver) => deliver({ ok: false, json: JSON.stringify(refused), guestMs: startMs }),
    onLog: () => {},
    signal: AbortSignal.any([signal, AbortSignal.timeout(limits.timeoutMs + 5_000)]),
  });
  signal.throwIfAborted();
  if (outcome.state === "succeeded") return { ok: true, reason: "" };
  const reason = outcome.state === "cancelled" ? "it did not end in time" : attemptOutcome(outcome).error?.message;
  return { ok: false, reason: reason ?? outcome.state };
}

type Bundled = Readonly<{ ok: true; code: string } | { ok: false; reason: string }>;

async function bundle(source: string): Promise<Bundled> {
  try {
    const { outputFiles } = await withEsbuild(({ build }) =>
      build({
        stdin: { contents: entry, sourcefile: "entry.ts", loader: "ts" },
        plugins: [onlyTest(source)],
        bundle: true,
        write: false,
        outfile: "test.js",
        format: "cjs",
        platform: "neutral",
        target: "node24",
        logLevel: "silent",
        tsconfigRaw: {},
      }),
    );
    return { ok: true, code: outputFiles[0]?.text ?? "" };
  } catch (thrown) {
    return { ok: false, reason: `the test itself does not compile: ${String(thrown).slice(0, 500)}` };
  }
}

/** Lets the one file in and nothing else; nothing is read from the disk. */
function onlyTest(source: string): Plugin {
  return {
    name: "answer-test",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
        if (kind === "entry-point" || path === "jobrunner") return { path, external: path === "jobrunner" };
        if (path === "answer-test") return { path, namespace: "answer" };
        return { errors: [{ text: `a test of an answer imports nothing but "jobrunner", not "${path}"` }] };
      });
      build.onLoad({ filter: /.*/, namespace: "answer" }, () => ({ contents: source, loader: "ts" }));
    },
  };
}
