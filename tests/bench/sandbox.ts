import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../server/log.ts";
import { createPool } from "../../server/sandbox/pool.ts";
import type { SandboxRun } from "../../server/sandbox/types.ts";
import { percentile, print } from "./figures.ts";

/*
 * Figures of the sandbox alone, without store or journal. `node tests/bench/sandbox.ts` prints them.
 */

const noop = `const { defineJob } = require("jobrunner");
module.exports = { default: defineJob({ description: "says one line", async run({ log }) { log.info("here"); } }) };`;
const caller = `const { defineJob } = require("jobrunner");
module.exports = { default: defineJob({ description: "calls", async run({ kv }) { for (let i = 0; i < 1000; i++) await kv.get("k"); } }) };`;

function job(bundle: string, bundleHash: string, onLog: () => void = () => {}): SandboxRun {
  return {
    bundle,
    bundleHash,
    sourceMap: null,
    inputJson: null,
    info: { job: "bench", version: 1, run: "R1", attempt: 1, trigger: "person", slot: null },
    seed: "00112233445566778899aabbccddeeff",
    startMs: 0,
    timezone: "UTC",
    locale: "en-US",
    limits: { timeoutMs: 30_000, memoryMb: 128, logBytes: 100_000, inFlight: 64, cpuMs: 60_000, effects: 10_000 },
    guestRuntime: null,
    onStart: async () => {},
    onEffect: async (_call, deliver) => deliver({ ok: true, json: "null", guestMs: 0 }),
    onLog,
    signal: new AbortController().signal,
  };
}

const cacheDir = mkdtempSync(join(tmpdir(), "jobrunner-bench-"));
const pool = await createPool({ max: 2, warm: 1, log: silentLog, cacheDir });

async function firstLine(bundleHash: string): Promise<number> {
  let seen = Number.NaN;
  const start = performance.now();
  const outcome = await pool.run(job(noop, bundleHash, () => (seen = performance.now() - start)));
  if (outcome.state !== "succeeded") throw new Error(`the bench job ended as ${outcome.state}`);
  return seen;
}

async function rounds(count: number, pauseMs: number, hash: (i: number) => string): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    times.push(await firstLine(hash(i)));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return times;
}

await firstLine("warm-up");
const same = await rounds(100, 20, () => "same");
print(
  "request -> first line, same version again, fresh isolate",
  `${percentile(same, 0.5).toFixed(2)} ms p50, ${percentile(same, 0.95).toFixed(2)} ms p95`,
);
const fresh = await rounds(10, 600, (i) => `fresh-${i}`);
print("request -> first line, warm process that served nobody", `${percentile(fresh, 0.5).toFixed(2)} ms p50`);
const cold = await rounds(5, 0, (i) => `cold-${i}`);
print("request -> first line, cold process", `${percentile(cold, 0.5).toFixed(2)} ms p50`);

const callStart = performance.now();
await pool.run(job(caller, "caller"));
print("host call from the isolate and back", `${((performance.now() - callStart) / 1000).toFixed(3)} ms mean of 1,000`);

const total = 600;
await Promise.all([pool.run(job(noop, "load")), pool.run(job(noop, "load"))]);
const loadStart = performance.now();
await Promise.all(Array.from({ length: total }, () => pool.run(job(noop, "load"))));
print("isolated no-op runs with two runners", `${Math.round(total / ((performance.now() - loadStart) / 1000))}/s`);

await pool[Symbol.asyncDispose]();
rmSync(cacheDir, { recursive: true, force: true });
