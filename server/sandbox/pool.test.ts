import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answering, guestStartMs, jobSource, sandboxRun, testPool } from "../../tests/support/sandbox-run.ts";
import { canCutNetwork } from "./runner-command.ts";
import type { EffectCall, LogLine, Pool, RunnerInfo } from "./types.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool({ max: 2, warm: 1 });
});
afterAll(() => pool[Symbol.asyncDispose]());

const never = () => new Promise<never>(() => {});

describe("a run", () => {
  test("gives its output, log and effects, in order and with the guest's times", async () => {
    const lines: LogLine[] = [];
    const calls: EffectCall[] = [];
    const source = jobSource(`
      log.info("start", { a: 1 });
      const first = await kv.get("k");
      log.warn(Date.now());
      return { first, run, after: performance.now() };`);
    const run = await sandboxRun(source, {
      onLog: (line) => lines.push(line),
      onEffect: answering((call) => {
        calls.push(call);
        return { ok: true, json: '{"value":[1],"revision":3}', guestMs: guestStartMs + 250 };
      }),
    });
    const outcome = await pool.run(run);
    expect(outcome).toEqual({
      state: "succeeded",
      outputJson: JSON.stringify({ first: [1], run: run.info, after: 250 }),
    });
    expect(calls).toEqual([{ seq: 1, op: "kv.get", argsJson: '{"key":"k"}' }]);
    expect(lines).toEqual([
      { n: 1, level: "info", text: 'start {"a":1}', guestMs: guestStartMs },
      { n: 2, level: "warn", text: String(guestStartMs + 250), guestMs: guestStartMs + 250 },
    ]);
  });

  test("an error of an effect is thrown in the job with name and code", async () => {
    const source = jobSource(
      'try { await kv.get("k"); } catch (e) { return [e.name, e.code, e.message, e instanceof Error]; }',
    );
    const json = JSON.stringify({ name: "PermissionError", code: "permission_denied", message: "no" });
    const run = await sandboxRun(source, { onEffect: answering(() => ({ ok: false, json, guestMs: guestStartMs })) });
    expect(await pool.run(run)).toEqual({
      state: "succeeded",
      outputJson: '["PermissionError","permission_denied","no",true]',
    });
  });

  test("an error names the line of the source and no path of the host", async () => {
    const source = `import { defineJob } from "jobrunner";\ntype Unused = { a: string };\n\nfunction deep(): never {\n  throw new RangeError("too far");\n}\nexport default defineJob({ description: "x", async run() { await 1; deep(); } });\n`;
    const outcome = await pool.run(await sandboxRun(source));
    expect(outcome).toMatchObject({
      state: "failed",
      error: { name: "RangeError", message: "too far", file: "job.ts", line: 5 },
    });
    expect(JSON.stringify(outcome)).not.toMatch(/sandbox|node_modules|file:/);
  });

  test("input is parsed with the job's schema, and what does not fit is an InputError", async () => {
    const source = jobSource("return input;", "input: z.object({ n: z.number().default(4) }),");
    expect(await pool.run(await sandboxRun(source))).toEqual({ state: "succeeded", outputJson: '{"n":4}' });
    expect(await pool.run(await sandboxRun(source, { inputJson: '{"n":"x"}' }))).toMatchObject({
      state: "failed",
      error: { name: "InputError", message: expect.stringContaining("n: ") },
    });
  });

  test.each([
    ["Asia/Seoul", "ko-KR"],
    ["America/New_York", "de-DE"],
    ["UTC", "en-US"],
  ])("sees the zone %s and the locale %s", async (timezone, locale) => {
    const body = `const o = Intl.DateTimeFormat().resolvedOptions(); return [o.timeZone, o.locale, new Date(0).getHours(), (1.5).toLocaleString()];`;
    const outcome = await pool.run(await sandboxRun(jobSource(body), { timezone, locale }));
    const hour = Number(new Intl.DateTimeFormat("en-GB", { hour: "2-digit", timeZone: timezone }).format(0));
    expect(outcome).toEqual({
      state: "succeeded",
      outputJson: JSON.stringify([timezone, locale, hour, (1.5).toLocaleString(locale)]),
    });
  });

  test("the same seed gives the same random numbers, another seed others", async () => {
    const source = jobSource(
      "return [Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(100))]];",
    );
    const first = await pool.run(await sandboxRun(source));
    expect(await pool.run(await sandboxRun(source))).toEqual(first);
    expect(await pool.run(await sandboxRun(source, { seed: "f".repeat(32) }))).not.toEqual(first);
  });

  test("a replay with the same replies in the same order logs the same", async () => {
    const body = `
      const race = async (name) => { const v = await kv.get(name); log.info(name, v, Math.random()); };
      await Promise.all(["a", "b", "c"].map(race));`;
    const play = async () => {
      const lines: string[] = [];
      const waiting: (() => void)[] = [];
      const run = await sandboxRun(jobSource(body), {
        onLog: (line) => lines.push(line.text),
        onEffect: answering(async ({ seq }) => {
          await new Promise<void>((resolve) => {
            waiting.push(resolve);
            if (waiting.length === 3) queueMicrotask(() => waiting.toReversed().forEach((go) => void go()));
          });
          return { ok: true, json: `{"value":${seq},"revision":1}`, guestMs: guestStartMs + seq };
        }),
      });
      await pool.run(run);
      return lines;
    };
    const first = await play();
    expect(first.map((line) => line[0])).toEqual(["c", "b", "a"]);
    expect(await play()).toEqual(first);
  });

  test("more calls than fit in flight wait for their turn", async () => {
    const source = jobSource(
      'return (await Promise.all(Array.from({ length: 300 }, (_, i) => kv.get("k" + i)))).length;',
    );
    expect(await pool.run(await sandboxRun(source))).toEqual({ state: "succeeded", outputJson: "300" });
  });
});

describe("the end of a run", () => {
  test("a cancelled run dies at once, with its process", async () => {
    const controller = new AbortController();
    let info: RunnerInfo | undefined;
    const run = await sandboxRun(jobSource('log.info("up"); for (;;);'), {
      signal: controller.signal,
      onStart: async (given) => {
        info = given;
      },
      onLog: () => controller.abort(),
    });
    expect(await pool.run(run)).toEqual({ state: "cancelled" });
    expect(existsSync(`/proc/${info?.pid}`)).toBe(false);
  });

  test("time is up while an effect waits, too", async () => {
    const limits = { timeoutMs: 100, cpuMs: 100, memoryMb: 128, logBytes: 1000, effects: 10, inFlight: 64 };
    const run = await sandboxRun(jobSource('await kv.get("k");'), { limits, onEffect: never });
    expect(await pool.run(run)).toEqual({ state: "timed_out", limit: "timeout", afterMs: 100 });
  });

  test("an error of ours in a callback comes out as it is", async () => {
    const onEffect = async () => {
      throw new Error("the store is gone");
    };
    await expect(pool.run(await sandboxRun(jobSource('await kv.get("k");'), { onEffect }))).rejects.toThrow(
      "the store is gone",
    );
    const onStart = async () => {
      throw new Error("not approved");
    };
    await expect(pool.run(await sandboxRun(jobSource("return 1;"), { onStart }))).rejects.toThrow("not approved");
  });

  test("a rejection that nobody handles fails the run", async () => {
    const outcome = await pool.run(await sandboxRun(jobSource('Promise.reject(new Error("lost")); return 1;')));
    expect(outcome).toMatchObject({ state: "failed", error: { message: "lost" } });
  });
});

describe("processes", () => {
  const pidOf = async (body: string): Promise<number> => {
    let pid = 0;
    await pool.run(
      await sandboxRun(jobSource(body), {
        onStart: async (info) => {
          pid = info.pid;
        },
      }),
    );
    return pid;
  };

  test("one bundle may meet its process again, another bundle never does", async () => {
    const first = await pidOf("return 'a';");
    expect(await pidOf("return 'a';")).toBe(first);
    expect(await pidOf("return 'b';")).not.toBe(first);
  });

  test.runIf(process.platform === "linux")("a runner has an empty environment and bounded memory", async () => {
    let environment = "";
    let limits = "";
    await pool.run(
      await sandboxRun(jobSource("return 1;"), {
        onStart: async ({ pid }) => {
          environment = readFileSync(`/proc/${pid}/environ`, "utf8");
          limits = readFileSync(`/proc/${pid}/limits`, "utf8");
        },
      }),
    );
    const names = environment
      .split("\0")
      .filter(Boolean)
      .map((entry) => entry.split("=")[0]);
    expect(names.filter((name) => !name?.startsWith("NODE_CHANNEL"))).toEqual(["TZ", "LC_ALL"]);
    expect(limits).toMatch(/Max data size\s+\d+/);
  });

  test("runs beyond the maximum wait for a place", async () => {
    const gate = Promise.withResolvers<void>();
    const onEffect = answering(async () => {
      await gate.promise;
      return { ok: true, json: "null", guestMs: guestStartMs };
    });
    const source = jobSource('await kv.get("k"); return 1;');
    const held = [pool.run(await sandboxRun(source, { onEffect })), pool.run(await sandboxRun(source, { onEffect }))];
    let started = false;
    const third = pool.run(
      await sandboxRun(source, {
        onEffect,
        onStart: async () => {
          started = true;
        },
      }),
    );
    expect(pool.stats().busy).toBe(2);
    expect(started).toBe(false);
    gate.resolve();
    for (const outcome of await Promise.all([...held, third])) expect(outcome.state).toBe("succeeded");
    expect(pool.stats().busy).toBe(0);
  });
});

describe("a declaration", () => {
  const declare = async (source: string) => {
    const { bundle, bundleHash, sourceMap } = await sandboxRun(source);
    return pool.declaration({ bundle, bundleHash, sourceMap, timezone: "UTC", locale: "en-US" });
  };

  test("is what defineJob got as plain data, with the input as JSON Schema", async () => {
    const declared = await declare(
      jobSource("", 'schedule: { cron: "0 8 * * *" }, input: z.object({ a: z.string() }),'),
    );
    expect(declared.ok && JSON.parse(declared.json)).toMatchObject({
      description: "a job of a test",
      schedule: { cron: "0 8 * * *" },
      input: { type: "object", properties: { a: { type: "string" } } },
    });
  });

  test.each([
    [
      "throws",
      'import "jobrunner";\n\nthrow new Error("at import");',
      { message: "at import", file: "job.ts", line: 3 },
    ],
    ["has no default export", "export const x = 1;", { message: expect.stringContaining("export default defineJob") }],
    ["calls", "await_: fetch('https://example.org/'); export default 1;", { name: "Error" }],
    ["requires a module", 'import "node:fs"; export default 1;', { message: expect.stringContaining("node:fs") }],
  ])("a bundle that %s is refused with its reason", async (_what, source, error) => {
    expect(await declare(source)).toMatchObject({ ok: false, error });
  });
});

test("a runner's process has no network where the system allows that", async () => {
  const info = Promise.withResolvers<RunnerInfo>();
  const controller = new AbortController();
  await using own = await testPool({ max: 1, warm: 0 });
  const run = await sandboxRun(jobSource("await new Promise((resolve) => setTimeout(resolve, 60_000));"), {
    signal: controller.signal,
    onStart: async (given) => info.resolve(given),
    onEffect: () => new Promise(() => {}),
  });
  const outcome = own.run(run);
  const { pid } = await info.promise;
  const ours = readlinkSync("/proc/self/ns/net");
  expect(readlinkSync(`/proc/${pid}/ns/net`) !== ours).toBe(await canCutNetwork());
  if (await canCutNetwork()) {
    // Nothing but a loopback that is down.
    const devices = readFileSync(`/proc/${pid}/net/dev`, "utf8").split("\n").slice(2);
    expect(devices.flatMap((line) => line.split(":")[0]?.trim() || [])).toEqual(["lo"]);
    expect(readFileSync(`/proc/${pid}/net/route`, "utf8").trim().split("\n")).toHaveLength(1);
  }
  controller.abort();
  expect(await outcome).toEqual({ state: "cancelled" });
});
