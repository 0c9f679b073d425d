import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { guestStartMs, jobSource, sandboxRun, testPool } from "../../tests/support/sandbox-run.ts";
import { silentLog } from "../log.ts";
import { sha256 } from "../sha256.ts";
import { bundleGuest } from "./guest-bundle.ts";
import { createPool } from "./pool.ts";
import type { EffectReply, Pool, RunnerInfo } from "./types.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool({ max: 1, warm: 1 });
});
afterAll(() => pool[Symbol.asyncDispose]());

const reply = (value: unknown): EffectReply => ({
  ok: true,
  json: JSON.stringify({ value, revision: 1 }),
  guestMs: guestStartMs,
});
const limits = { timeoutMs: 10_000, cpuMs: 10_000, memoryMb: 128, logBytes: 100_000, effects: 500, inFlight: 64 };

describe("replies", () => {
  test("reach the guest in the order of their delivery, whatever the order of the calls", async () => {
    const calls: (() => void)[] = [];
    const body = `
      const seen = [];
      await Promise.all(["a", "b", "c"].map(async (key) => seen.push(await kv.get(key))));
      return seen;`;
    const run = await sandboxRun(jobSource(body), {
      onEffect: async ({ seq }, deliver) => {
        calls.push(() => deliver(reply(seq)));
        if (calls.length === 3) for (const at of [1, 2, 0]) calls[at]?.();
      },
    });
    expect(await pool.run(run)).toEqual({ state: "succeeded", outputJson: "[2,3,1]" });
  });

  test("a second one to the same call is nothing", async () => {
    const run = await sandboxRun(jobSource('return [await kv.get("a"), await kv.get("b")];'), {
      onEffect: async ({ seq }, deliver) => {
        deliver(reply(seq));
        deliver(reply("again"));
      },
    });
    expect(await pool.run(run)).toEqual({ state: "succeeded", outputJson: "[1,2]" });
  });

  test("on record reach the guest in their order, although they are in the runner before the calls", async () => {
    const body = `
      const seen = [];
      await Promise.all(["a", "b", "c"].map(async (key) => seen.push(await kv.get(key))));
      seen.push((await kv.get("d")).length, (await kv.get("e")).length, await kv.get("f"));
      return seen;`;
    // More than the runner holds at a time.
    const long = "x".repeat(900_000);
    const values = [2, 3, 1, long, long].map((value, at) => ({
      seq: at < 3 ? Number(value) : at + 1,
      ...reply(value),
    }));
    const due = [...values];
    const asked: number[] = [];
    const delivers = new Map<number, (reply: EffectReply) => void>();
    const run = await sandboxRun(jobSource(body), {
      recorded: values,
      onEffect: async ({ seq }, deliver) => {
        asked.push(seq);
        if (seq === 6) return deliver(reply("new"));
        delivers.set(seq, deliver);
        for (let next = due[0]; next !== undefined && delivers.has(next.seq); next = due[0]) {
          due.shift();
          delivers.get(next.seq)?.(next);
        }
      },
    });
    expect(await pool.run(run)).toEqual({ state: "succeeded", outputJson: '[2,3,1,900000,900000,"new"]' });
    expect(asked).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("on record are not given to calls that were not made", async () => {
    const run = await sandboxRun(jobSource('return await kv.get("a");'), {
      recorded: [1, 2].map((seq) => ({ seq, ...reply(seq) })),
      onEffect: async ({ seq }, deliver) => deliver(reply(seq)),
    });
    expect(await pool.run(run)).toEqual({ state: "succeeded", outputJson: "1" });
    expect(await pool.run({ ...run, recorded: [] })).toEqual({ state: "succeeded", outputJson: "1" });
  });
});

describe("quiet", () => {
  test("is told once, when all calls are here and the guest waits", async () => {
    const held: (() => void)[] = [];
    const heard: number[] = [];
    const body = 'await Promise.all([kv.get("a"), kv.get("b")]); await kv.get("c"); return 1;';
    const run = await sandboxRun(jobSource(body), {
      onEffect: async ({ seq }, deliver) => {
        held.push(() => deliver(reply(seq)));
      },
      onQuiet: () => {
        heard.push(held.length);
        for (const go of held.splice(0)) go();
      },
    });
    expect(await pool.run(run)).toEqual({ state: "succeeded", outputJson: "1" });
    expect(heard).toEqual([2, 1]);
  });

  test("is not told before the calls are passed on, however long the start takes", async () => {
    const seen: string[] = [];
    const held: (() => void)[] = [];
    const run = await sandboxRun(jobSource('await kv.get("a"); return 1;'), {
      onStart: () => new Promise((resolve) => setTimeout(resolve, 300)),
      onEffect: async ({ seq }, deliver) => {
        seen.push("call");
        held.push(() => deliver(reply(seq)));
      },
      onQuiet: () => {
        seen.push("quiet");
        for (const go of held.splice(0)) go();
      },
    });
    expect(await pool.run(run)).toEqual({ state: "succeeded", outputJson: "1" });
    expect(seen).toEqual(["call", "quiet"]);
  });

  test("is not told of a guest that computes", async () => {
    const heard: string[] = [];
    let release = () => {};
    const body =
      'const waiting = kv.get("a"); for (let i = 0; i < 3e8; i++) Math.sqrt(i); log.info("computed"); await waiting;';
    const run = await sandboxRun(jobSource(body), {
      onEffect: async (call, deliver) => {
        release = () => deliver(reply(call.seq));
      },
      onLog: ({ text }) => heard.push(text),
      onQuiet: () => {
        heard.push("quiet");
        release();
      },
    });
    expect(await pool.run(run)).toMatchObject({ state: "succeeded" });
    expect(heard).toEqual(["computed", "quiet"]);
  });
});

describe("limits", () => {
  const loops: [what: string, body: string][] = [
    ["a plain loop", "for (;;);"],
    ["powers of BigInt, which the isolate's own timeout misses", "for (;;) (2n ** 4_000_000n) ** 7n;"],
    ["a loop of promises", "for (;;) await null;"],
  ];
  test.runIf(process.platform === "linux").each(loops)("on computing stop %s", async (_what, body) => {
    const run = await sandboxRun(jobSource(body), { limits: { ...limits, cpuMs: 300, timeoutMs: 30_000 } });
    expect(await pool.run(run)).toEqual({ state: "timed_out", limit: "cpu", afterMs: 300 });
  });

  test("on computing do not count what the run waits", async () => {
    const run = await sandboxRun(jobSource('await kv.get("a"); return 1;'), {
      limits: { ...limits, cpuMs: 1_000 },
      onEffect: async ({ seq }, deliver) => void setTimeout(() => deliver(reply(seq)), 1_500),
    });
    expect(await pool.run(run)).toEqual({ state: "succeeded", outputJson: "1" });
  });

  test("on effects end the run with the limit's name and its setting", async () => {
    const run = await sandboxRun(jobSource('for (;;) await kv.get("a");'), { limits: { ...limits, effects: 3 } });
    expect(await pool.run(run)).toMatchObject({
      state: "limit_exceeded",
      limit: "effects",
      error: { message: expect.stringContaining("limits.effects") },
    });
  });
});

test("a run that began on an older guest runtime goes on with that one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "jobrunner-runtimes-"));
  const script = await bundleGuest();
  // Another content under its own name, as an earlier release left it here.
  const older = `${script}\n//`;
  const version = `guest-${sha256(older).slice("sha256:".length, "sha256:".length + 32)}`;
  await writeFile(join(folder, `${version}.js`), older);
  const changed = `guest-${"0".repeat(32)}`;
  await writeFile(join(folder, `${changed}.js`), older);
  try {
    await using own = await createPool({ max: 1, warm: 1, log: silentLog, cacheDir: folder });
    expect(own.runtimes()).toEqual([own.guestRuntime, version]);
    const used: string[] = [];
    const onStart = async (info: RunnerInfo) => void used.push(info.guestRuntime);
    for (const guestRuntime of [version, null]) {
      const run = await sandboxRun(jobSource("return 1;"), { guestRuntime, onStart });
      expect(await own.run(run)).toMatchObject({ state: "succeeded" });
    }
    expect(used).toEqual([version, own.guestRuntime]);
    const unknown = await sandboxRun(jobSource("return 1;"), { guestRuntime: changed });
    await expect(own.run(unknown)).rejects.toThrow(changed);
    expect(own.stats().busy).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
