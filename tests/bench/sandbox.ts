import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../server/log.ts";
import { guestBundles } from "../../server/sandbox/guest-bundle.ts";
import { createPool } from "../../server/sandbox/pool.ts";
import { canCutNetwork } from "../../server/sandbox/runner-command.ts";
import { startRunner } from "../../server/sandbox/runner-process.ts";
import { runnerScript } from "../../server/sandbox/runner-script.ts";
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
    info: { job: "bench", version: 1, run: "R1", attempt: 1, trigger: "person", slot: null, event: null },
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

async function firstLine(bundleHash: string, on = pool): Promise<number> {
  let seen = Number.NaN;
  const start = performance.now();
  const outcome = await on.run(job(noop, bundleHash, () => (seen = performance.now() - start)));
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
// A pool that keeps nothing warm, or the runner that was made ready in the meantime would be measured.
const coldPool = await createPool({ max: 1, warm: 0, log: silentLog, cacheDir });
const cold: number[] = [];
for (let i = 0; i < 5; i++) cold.push(await firstLine(`cold-${i}`, coldPool));
await coldPool[Symbol.asyncDispose]();
print("request -> first line, cold process", `${percentile(cold, 0.5).toFixed(2)} ms p50`);

/** Milliseconds a call, of a thousand one after the other, the start of their run included. */
const calls: number[] = [];
for (let i = 0; i < 9; i++) {
  const start = performance.now();
  await pool.run(job(caller, "caller"));
  calls.push((performance.now() - start) / 1_000);
}
print(
  "host call from the isolate and back (bar 0.3 ms)",
  `${percentile(calls, 0.5).toFixed(3)} ms p50 of ${calls.length} runs with 1,000 each; the first ${calls[0]?.toFixed(3)} ms`,
);

const total = 600;
await Promise.all([pool.run(job(noop, "load")), pool.run(job(noop, "load"))]);
const loadStart = performance.now();
await Promise.all(Array.from({ length: total }, () => pool.run(job(noop, "load"))));
print("isolated no-op runs with two runners", `${Math.round(total / ((performance.now() - loadStart) / 1000))}/s`);

await pool[Symbol.asyncDispose]();

/** Pages that several runners share count in parts, so that the figures of many runners add up. Linux alone tells. */
function memoryMb(pid: number): number {
  const [, kilobytes] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

const held = 8;
const mb = (values: readonly number[]) => `${percentile(values, 0.5).toFixed(1)} MB each, of ${held}`;

/** Warm runners that have served nobody. */
async function idleMemory(): Promise<number[]> {
  const [guest] = await guestBundles(cacheDir);
  const netless = await canCutNetwork();
  const script = await runnerScript(cacheDir);
  const options = { script, guest, locale: "en-US", timezone: "UTC", dataMb: 2_048, netless };
  const runners = Array.from({ length: held }, () => startRunner(options));
  try {
    for (const { ready, send, attach } of runners) {
      await ready;
      const answered = Promise.withResolvers<void>();
      const gone = () => answered.reject(new Error("a runner ended"));
      attach({ onMessage: () => answered.resolve(), onForgery: gone, onExit: gone });
      send({ type: "prepare", timezone: "UTC", memoryMb: 128, zod: false });
      // Messages are served in order, so its pong tells that the isolate is made.
      send({ type: "ping", n: 1 });
      await answered.promise;
      attach(undefined);
    }
    return runners.map(({ pid }) => memoryMb(pid));
  } finally {
    await Promise.all(runners.map(({ kill }) => kill()));
  }
}

/** Runs that wait for a call. */
async function liveMemory(): Promise<number[]> {
  await using own = await createPool({ max: held, warm: 0, log: silentLog, cacheDir });
  const pids: number[] = [];
  const waiting = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  let quiet = 0;
  const runs = Array.from({ length: held }, (_, i) =>
    own.run({
      ...job(caller, `live-${i}`),
      onStart: async ({ pid }) => void pids.push(pid),
      onEffect: async (_call, deliver) => {
        await done.promise;
        deliver({ ok: true, json: "null", guestMs: 0 });
      },
      onQuiet: () => {
        quiet += 1;
        if (quiet === held) waiting.resolve();
      },
    }),
  );
  await Promise.race([waiting.promise, Promise.all(runs)]);
  const values = pids.map(memoryMb);
  done.resolve();
  await Promise.all(runs);
  return values;
}

if (process.platform === "linux") {
  print("memory of an idle runner", mb(await idleMemory()));
  print("memory of a runner with a live run", mb(await liveMemory()));
}
rmSync(cacheDir, { recursive: true, force: true });
