import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../server/log.ts";
import { createPool } from "../../server/sandbox/pool.ts";
import type { EffectCall, EffectReply, Pool, SandboxRun } from "../../server/sandbox/types.ts";
import { sha256 } from "../../server/sha256.ts";
import { withEsbuild } from "../../server/with-esbuild.ts";

export const guestStartMs = 1_700_000_000_000;

/** A pool of its own with a throw-away cache folder. */
export async function testPool(options: { max?: number; warm?: number } = {}): Promise<Pool> {
  const { max = 2, warm = 1 } = options;
  const cacheDir = mkdtempSync(join(tmpdir(), "jobrunner-sandbox-"));
  const pool = await createPool({ max, warm, log: silentLog, cacheDir });
  return {
    ...pool,
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      rmSync(cacheDir, { recursive: true, force: true });
    },
  };
}

/** A job's source made ready to run: effects answer null at once, unless `overrides` says otherwise. */
export async function sandboxRun(source: string, overrides: Partial<SandboxRun> = {}): Promise<SandboxRun> {
  const options = {
    loader: "ts",
    format: "cjs",
    target: "es2024",
    sourcemap: "external",
    sourcefile: "job.ts",
  } as const;
  const { code, map } = await withEsbuild(({ transform }) => transform(source, options));
  return {
    bundle: code,
    bundleHash: sha256(code),
    sourceMap: map,
    inputJson: null,
    info: { job: "test", version: 1, run: "R1", attempt: 1, trigger: "person", slot: null, event: null },
    seed: "00112233445566778899aabbccddeeff",
    startMs: guestStartMs,
    timezone: "UTC",
    locale: "en-US",
    limits: { timeoutMs: 10_000, cpuMs: 10_000, memoryMb: 128, logBytes: 100_000, effects: 500, inFlight: 64 },
    guestRuntime: null,
    onStart: async () => {},
    onEffect: async (_call, deliver) => deliver({ ok: true, json: "null", guestMs: guestStartMs }),
    onLog: () => {},
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** Source of a job whose run() has this body. */
export function jobSource(body: string, members = ""): string {
  return `import { defineJob, z } from "jobrunner";
export default defineJob({
  description: "a job of a test",
  ${members}
  async run({ input, kv, secrets, log, run, files, artifacts, llm, notify, exec, sleep, ask, jobs, agents }) {
    ${body}
  },
});
`;
}

/** Serves effects by giving each its answer as soon as it is there. */
export function answering(answer: (call: EffectCall) => EffectReply | Promise<EffectReply>): SandboxRun["onEffect"] {
  return async (call, deliver) => deliver(await answer(call));
}
