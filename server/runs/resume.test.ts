import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testServer } from "../../tests/support/effects.ts";
import { type Resuming, resuming } from "../../tests/support/resuming.ts";
import { testPermissions } from "../../tests/support/runs.ts";
import { testPool } from "../../tests/support/sandbox-run.ts";
import { type StoreKind, storeKinds, testStore } from "../../tests/support/store.ts";
import type { LogLine, Pool } from "../sandbox/types.ts";
import { openAlerts } from "./alerts.ts";
import { answerQuestion } from "./answer-question.ts";
import { playJournal } from "./play-journal.ts";
import { readJournal } from "./read-journal.ts";

/*
 * Random programs of effects that complete in random order, cut at every point: the resumed run ends as if it had never been cut,
 * and nothing that was done is done again.
 */

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

type Step = { kind: "get" | "post" | "count" | "timer"; ms: number } | { kind: "all" | "race"; branches: Step[][] };

const { program } = fc.letrec<{ program: Step[]; step: Step }>((tie) => ({
  program: fc.array(tie("step"), { minLength: 1, maxLength: 3 }),
  step: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.record({ kind: fc.constantFrom("get", "post", "count", "timer"), ms: fc.nat({ max: 4 }) }),
    fc.record({
      kind: fc.constantFrom("all", "race"),
      branches: fc.array(tie("program"), { minLength: 1, maxLength: 3 }),
    }),
  ),
}));

/** Every step has a label, which is what the program logs and gives back in the order in which the steps were done. */
const interpreter = `
import { defineJob, z } from "jobrunner";
export default defineJob({
  description: "interprets a program",
  input: z.object({ program: z.any(), origin: z.string() }),
  async run({ input, kv, log }) {
    const trace = [];
    let next = 0;
    async function effect(step, label) {
      switch (step.kind) {
        case "get": return (await fetch(input.origin + "/" + label + "?ms=" + step.ms)).text();
        case "post": return (await fetch(input.origin + "/" + label, { method: "POST", body: String(step.ms) })).text();
        case "timer": return new Promise((resolve) => setTimeout(resolve, step.ms, "rang"));
        case "count": {
          const { value, revision } = (await kv.read("count")) ?? { value: 0, revision: null };
          try { await kv.set("count", value + 1, { ifRevision: revision }); return "set"; } catch (e) { return e.code; }
        }
      }
    }
    async function perform(step) {
      if (step.branches) {
        const branches = step.branches.map(performAll);
        return step.kind === "all" ? Promise.all(branches) : Promise.race(branches);
      }
      const label = "s" + ++next;
      const value = await effect(step, label);
      trace.push([label, value, Math.random(), Date.now()]);
      log.info(label, value);
    }
    async function performAll(steps) { for (const step of steps) await perform(step); }
    await performAll(input.program);
    return trace;
  },
});`;

async function interpreted(kind: StoreKind, origin: string, port: number): Promise<Resuming> {
  const net = [{ host: "127.0.0.1", port, private: true }];
  return resuming(await testStore(kind), pool, interpreter, {
    permissions: testPermissions({ net }),
    onUncertain: "repeat",
    input: { type: "object", properties: { program: {}, origin: { const: origin } } },
  });
}

/** Runs the journal alone, without any world, and gives what comes of it. */
async function replayed({ store, bundle }: Resuming, runId: number, inputJson: string) {
  const { seed, start_ms } = await store.db
    .selectFrom("attempts")
    .selectAll()
    .where("run_id", "=", runId)
    .executeTakeFirstOrThrow();
  const player = playJournal(await readJournal(store.db, runId, 1));
  const lines: LogLine[] = [];
  const outcome = await pool.run({
    ...bundle,
    inputJson,
    seed,
    startMs: Number(start_ms),
    limits: { ...bundle.limits, effects: 5_000 },
    onLog: (line) => lines.push(line),
    async onEffect(call, deliver) {
      const { kind } = player.play(call, deliver);
      if (kind === "differs") throw new Error(`the replay differs at ${call.seq}`);
    },
  });
  return { outcome, lines: lines.map(({ text }) => text) };
}

test.each(storeKinds)(
  "random programs, cut at every point, end as their own journal says, and repeat nothing (%s)",
  {
    timeout: 3_600_000,
  },
  async (kind) => {
    const counts = new Map<string, number>();
    await using server = await testServer(({ url }, response) => {
      const [path = "", ms] = url.split("?ms=");
      counts.set(path, (counts.get(path) ?? 0) + 1);
      setTimeout(() => response.end(`answer to ${path}`), Number(ms ?? 0));
    });
    const it = await interpreted(kind, server.origin, server.port);
    await using _ = it.store;
    const { db } = it.store;

    const input = (steps: Step[]) => ({ program: steps, origin: server.origin });
    const journalOf = (runId: number) => readJournal(db, runId, 1);

    async function cutAt(steps: Step[], cuts: readonly number[]): Promise<number> {
      counts.clear();
      const run = await it.order(input(steps));
      const done = new Map<string, number>();
      let total = 0;
      for (const at of [...cuts, Number.POSITIVE_INFINITY]) {
        const { settlement, steps: count } = await it.work((step) => step === at);
        for (const entry of await journalOf(run.id)) {
          const url: string | undefined = entry.op === "fetch" ? JSON.parse(entry.argsJson).url : undefined;
          const path = url === undefined ? undefined : new URL(url).pathname;
          if (path !== undefined && entry.state === "done" && !done.has(path)) done.set(path, counts.get(path) ?? 0);
        }
        total = count;
        if (settlement !== undefined) {
          expect(settlement, JSON.stringify(settlement)).toMatchObject({ state: "succeeded" });
          break;
        }
      }
      // Nothing that was on record as done has been asked for again.
      for (const [path, count] of done) expect(counts.get(path), path).toBe(count);
      const ended = await db.selectFrom("runs").selectAll().where("id", "=", run.id).executeTakeFirstOrThrow();
      const { outcome, lines } = await replayed(it, run.id, ended.input ?? "null");
      expect(outcome).toEqual({ state: "succeeded", outputJson: ended.output });
      const stored = await db.selectFrom("run_logs").select("text").where("run_id", "=", run.id).orderBy("n").execute();
      expect(stored.map(({ text }) => text)).toEqual(lines);
      const trace: [string, unknown][] = JSON.parse(ended.output ?? "[]");
      for (const [label, value] of trace) {
        if (typeof value === "string" && value.startsWith("answer")) expect(value).toBe(`answer to /${label}`);
      }
      return total;
    }

    await fc.assert(
      fc.asyncProperty(program, fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }), async (steps, several) => {
        const points = await cutAt(steps, []);
        for (let point = 1; point <= Math.min(points, 14); point++) await cutAt(steps, [point]);
        await cutAt(steps, several);
      }),
      { numRuns: Number(process.env.RESUME_PROGRAMS ?? 6), seed: 20261124, endOnFailure: true },
    );
  },
);

test.each([
  ["ask", "needs_decision"],
  ["skip", "succeeded"],
  ["repeat", "succeeded"],
] as const)("an unsafe request that was cut off: onUncertain %s", async (onUncertain, state) => {
  const posts: (string | undefined)[] = [];
  await using server = await testServer(({ headers }, response) => {
    posts.push(headers["idempotency-key"]?.toString());
    response.end("done");
  });
  const source = `
import { defineJob } from "jobrunner";
export default defineJob({ description: "posts", async run() {
  try { return await (await fetch("${server.origin}/", { method: "POST", body: "x" })).text(); } catch (e) { return e.code; }
} });`;
  await using store = await testStore();
  const net = [{ host: "127.0.0.1", port: server.port, private: true }];
  const it = await resuming(store, pool, source, { permissions: testPermissions({ net }), onUncertain });
  const { id } = await it.order();
  // The worker dies when the answer is there and before it is handed on; the journal is then put back to what a power cut leaves.
  await it.work((step) => step === 2);
  await store.db
    .updateTable("journal")
    .set({ state: "intent", outcome: null, result: null, delivered: null, guest_ms: null, ended_at: null })
    .execute();
  expect(posts).toEqual([`${id}-1-1`]);
  expect((await it.work()).settlement).toMatchObject({ state });
  const run = await store.db.selectFrom("runs").selectAll().executeTakeFirstOrThrow();
  const questions = await store.db.selectFrom("questions").selectAll().execute();
  if (onUncertain === "ask") {
    expect(questions).toMatchObject([{ seq: 1, kind: "uncertain", answered_at: null }]);
    expect(run.finished_at).toBeNull();
  } else {
    expect(questions).toEqual([]);
    expect(run.output).toBe(onUncertain === "skip" ? '"uncertain"' : '"done"');
  }
  expect(posts).toHaveLength(onUncertain === "repeat" ? 2 : 1);
  expect(new Set(posts).size).toBe(1);
});

const countingPost = (origin: string, rest: string) => `
import { defineJob } from "jobrunner";
export default defineJob({ description: "t", async run({ kv }) {
  await kv.set("n", ((await kv.get("n")) ?? 0) + 1);
  await fetch("${origin}/", { method: "POST" });
  ${rest}
} });`;

test("a runner that dies goes on from the journal, and one that dies of the job itself is given up", async () => {
  await using server = await testServer((_, response) => response.end());
  const net = [{ host: "127.0.0.1", port: server.port, private: true }];
  await using store = await testStore();
  const deadly = countingPost(server.origin, 'return "x".repeat(2 ** 29 - 24).split("").length;');
  const it = await resuming(store, pool, deadly, { permissions: testPermissions({ net }) });
  const { id } = await it.order();
  expect((await it.work()).settlement).toMatchObject({ state: expect.stringMatching(/crashed|out_of_memory/) });
  expect(server.received).toHaveLength(1);
  expect(await store.db.selectFrom("kv").select("value").execute()).toEqual([{ value: "1" }]);
  const run = await store.db.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  expect(run.finished_at).not.toBeNull();
});

test("under other versions a person is asked first, and the answer counts for these versions alone", async () => {
  await using server = await testServer((_, response) => response.end());
  const net = [{ host: "127.0.0.1", port: server.port, private: true }];
  await using store = await testStore();
  const it = await resuming(store, pool, countingPost(server.origin, 'return "fine";'), {
    permissions: testPermissions({ net }),
  });
  const { id } = await it.order();
  await it.work((step) => step === 5);
  await store.db.updateTable("attempts").set({ v8: "1.2.3" }).execute();
  expect((await it.work()).settlement).toMatchObject({
    state: "needs_decision",
    error: { reason: "other_runtime", message: expect.stringContaining("V8 1.2.3") },
  });
  await answerQuestion(it, { run: id, value: "resume", by: "person" });
  expect((await it.work()).settlement).toMatchObject({ state: "succeeded", output: '"fine"' });
  expect(server.received).toHaveLength(1);
});

test.each([
  ["repeat", "succeeded", 2],
  ["skip", "failed", 1],
  ["fail", "failed", 1],
] as const)("a person decides of a request that was cut off: %s", async (value, state, requests) => {
  await using server = await testServer((_, response) => response.end());
  const net = [{ host: "127.0.0.1", port: server.port, private: true }];
  await using store = await testStore();
  const source = countingPost(server.origin, "return 1;");
  const it = await resuming(store, pool, source, { permissions: testPermissions({ net }) });
  const { id } = await it.order();
  await it.work((step) => step === 6);
  await store.db
    .updateTable("journal")
    .set({ state: "intent", outcome: null, result: null, delivered: null, guest_ms: null, ended_at: null })
    .where("op", "=", "fetch")
    .execute();
  expect((await it.work()).settlement).toMatchObject({ state: "needs_decision" });
  expect(await openAlerts(store.db)).toMatchObject([{ key: `run:R${id}:question` }]);
  const later = await it.order();
  expect((await it.work()).settlement).toMatchObject({ state: "succeeded" });
  expect(later.id).not.toBe(id);
  await answerQuestion(it, { run: id, value, by: "person" });
  if (value !== "fail") expect((await it.work()).settlement).toMatchObject({ state });
  const run = await store.db.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  expect(run).toMatchObject({ state });
  expect(run.finished_at).not.toBeNull();
  // The later run made one of its own.
  expect(server.received).toHaveLength(requests + 1);
  expect((await openAlerts(store.db)).map(({ key }) => key)).not.toContain(`run:R${id}:question`);
});
