import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pool, SandboxOutcome, SandboxRun } from "../../server/sandbox/types.ts";
import { sha256 } from "../../server/sha256.ts";
import { answering, guestStartMs, jobSource, sandboxRun, testPool } from "../support/sandbox-run.ts";

/*
 * Each file of jobs/ says in its first lines how it must end: `// outcome: a|b` and, where it matters, `// message: regexp`.
 * A job that may end by the clock has 1.5 s, and any other so much that a slow machine reaches its end first.
 * `// timeout: ms`, `// cpu: ms` and `// effects: n` change a limit; `// calls:` says exactly what reaches the outside, whatever the
 * job has overridden. A `.bundle` is run as it stands. Besides: the time limit holds, a neighbour is unharmed, the next run is fine.
 */

const folder = new URL("./jobs/", import.meta.url);
const usualLimits = { cpuMs: 60_000, memoryMb: 128, logBytes: 100_000, effects: 200, inFlight: 64 };

const statesOf = (source: string) => /^\/\/ outcome: (.+)$/m.exec(source)?.[1]?.split("|") ?? [];

async function hostileRun(file: string, source: string, calls: string[]): Promise<SandboxRun> {
  /** Calls to the slow host are never answered. */
  const onEffect = answering(async ({ op, argsJson }) => {
    calls.push(`${op} ${argsJson}`);
    if (argsJson.includes("slow.example.org")) await new Promise(() => {});
    return { ok: true, json: "null", guestMs: guestStartMs };
  });
  const given = (name: string) => Number(new RegExp(`^// ${name}: (\\d+)$`, "m").exec(source)?.[1] ?? Number.NaN);
  const limits = {
    ...usualLimits,
    timeoutMs: given("timeout") || (statesOf(source).includes("timed_out") ? 1_500 : 60_000),
    cpuMs: given("cpu") || usualLimits.cpuMs,
    effects: given("effects") || usualLimits.effects,
  };
  const run = await sandboxRun(file.endsWith(".bundle") ? "" : source, { limits, onEffect });
  return file.endsWith(".bundle") ? { ...run, bundle: source, bundleHash: sha256(source), sourceMap: null } : run;
}

function messageOf(outcome: SandboxOutcome): string {
  if (outcome.state === "limit_exceeded") return `${outcome.limit}: ${outcome.error.message}`;
  if (outcome.state === "failed") return `${outcome.error.name}: ${outcome.error.message}`;
  if (outcome.state === "timed_out") return outcome.limit;
  return outcome.state === "crashed" ? outcome.detail : "";
}

/** What a single leaked call of the flood of large arguments would exceed by far. */
const maxGrowthMb = 8;
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

/** What this process holds outside of code and stacks. */
function memoryMb(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1024 / 1024;
}

describe("hostile jobs", () => {
  let pool: Pool;
  const heldMb: number[] = [];
  beforeAll(async () => {
    pool = await testPool();
  });
  afterAll(() => pool[Symbol.asyncDispose]());

  const fine = { state: "succeeded", outputJson: '"fine"' };

  test.each(readdirSync(folder))("%s ends as it must and harms nobody else", async (file) => {
    const source = readFileSync(new URL(file, folder), "utf8");
    const states = statesOf(source);
    const message = /^\/\/ message: (.+)$/m.exec(source)?.[1] ?? "";
    const expectedCalls = /^\/\/ calls: (.+)$/m.exec(source)?.[1];
    const calls: string[] = [];
    const hostile = await hostileRun(file, source, calls);
    const neighbour = await sandboxRun(jobSource('await kv.get("k"); return "fine";'));
    expect(await pool.run(neighbour)).toEqual(fine);

    const [outcome, beside] = await Promise.all([pool.run(hostile), pool.run(neighbour)]);

    expect(states, JSON.stringify(outcome)).toContain(outcome.state);
    expect(messageOf(outcome)).toMatch(new RegExp(message));
    if (expectedCalls !== undefined) expect(calls.join("; ") || "none").toBe(expectedCalls);
    expect(beside).toEqual(fine);
    if (outcome.state === "succeeded") expect(await pool.run(hostile)).toMatchObject({ state: "succeeded" });
    expect(await pool.run(neighbour)).toEqual(fine);
    heldMb.push(memoryMb());
  });

  test("after all of them this process holds no more memory than after the first ones", () => {
    // What the first third makes ready (compiled code, buffers of pipes, the test's own reports) is there by then.
    const settled = heldMb[Math.floor(heldMb.length / 3)] ?? Number.NaN;
    expect(heldMb.at(-1)).toBeLessThan(settled + maxGrowthMb);
  });
});
