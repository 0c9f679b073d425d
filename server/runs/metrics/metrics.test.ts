import { sql } from "kysely";
import { expect, test } from "vitest";
import { performEffect } from "../../../tests/support/effects.ts";
import { addJob } from "../../../tests/support/runs.ts";
import { storeKinds, testStore } from "../../../tests/support/store.ts";
import type { Db } from "../../store/open-store.ts";
import { followEndedRuns } from "./follow-ended-runs.ts";
import { readQueueDepth } from "./queue-depth.ts";
import { summarizeWindow } from "./window-summary.ts";

type Given = { job: string; state: string; agoSeconds?: number; seconds?: number; late?: number; attempt?: number };

/** A run that ended so long ago, by the database's clock. */
async function endedRun(db: Db, given: Given): Promise<number> {
  const { job, state, agoSeconds = 0, seconds = 1, late = null, attempt = 1 } = given;
  const end = sql`now() - ${agoSeconds}::double precision * interval '1 second'`;
  const start = sql`${end} - ${seconds}::double precision * interval '1 second'`;
  const { rows } = await sql<{ id: number }>`
    insert into runs (job, trigger, state, run_at, attempt, trace_id, requested_by, started_at, finished_at, schedule_key, slot)
    values (${job}, 'schedule', ${state}, now(), ${attempt}, 't', 'test', ${start}, ${end}, ${late === null ? null : "main"},
      case when ${late}::double precision is not null then ${start} - ${late}::double precision * interval '1 second' end)
    returning id`.execute(db);
  const id = rows[0]?.id ?? 0;
  await sql`insert into attempts (run_id, attempt, worker, seed, start_ms, state) values (${id}, 1, 'w', '0', 0, ${state})`.execute(
    db,
  );
  return id;
}

async function effect(db: Db, run: number, seq: number, op: string, outcome: "ok" | "error" | null, result = "null") {
  await sql`insert into journal (run_id, attempt, seq, op, args, safe, state, outcome, result, started_at)
    values (${run}, 1, ${seq}, ${op}, '{}', true, 'done', ${outcome}, ${result}, now())`.execute(db);
}

/** As the effect answers: with text that json in the database refuses, and what looks like tokens in it. */
const answer = JSON.stringify(
  await performEffect(
    "llm.generate",
    {
      model: "m",
      messages: [{ role: "user", content: "Hi" }],
      schema: null,
      temperature: null,
      maxTokens: null,
      seed: null,
    },
    {
      permissions: { llm: ["m"] },
      services: {
        llm: async () => ({
          text: '\u0000 \ud800 {"tokens":{"prompt":999,"output":999},"finish":"stop"}',
          tokens: { prompt: 12, output: 30 },
          finish: "stop",
        }),
      },
    },
  ),
);

test.each(storeKinds)("every end is counted once, also one that is committed late (%s)", async (kind) => {
  await using store = await testStore(kind);
  const { db } = store;
  await addJob(db, "a");
  await endedRun(db, { job: "a", state: "failed" });
  const next = followEndedRuns(db);
  expect(await next()).toEqual({ runs: [], effects: [] });
  expect((await next()).runs, "what ended before the first look").toEqual([]);

  const id = await endedRun(db, { job: "a", state: "succeeded", attempt: 3, seconds: 2, late: 0.5 });
  await effect(db, id, 1, "llm.generate", "ok", answer);
  await effect(db, id, 2, "llm.generate", "error");
  await effect(db, id, 3, "fetch", null);
  const { runs, effects } = await next();
  expect(runs).toMatchObject([{ id, job: "a", state: "succeeded", retries: 2, seconds: 2, latenessSeconds: 0.5 }]);
  expect(effects).toEqual([
    { op: "fetch", outcome: "unknown", count: 1, promptTokens: 0, outputTokens: 0 },
    { op: "llm.generate", outcome: "error", count: 1, promptTokens: 0, outputTokens: 0 },
    { op: "llm.generate", outcome: "ok", count: 1, promptTokens: 12, outputTokens: 30 },
  ]);
  expect(await next()).toEqual({ runs: [], effects: [] });

  // Its end lies before the one that was counted last.
  await sql`update runs set finished_at = finished_at + interval '10 seconds' where id = ${id}`.execute(db);
  await endedRun(db, { job: "a", state: "succeeded", agoSeconds: -12 });
  expect((await next()).runs).toHaveLength(1);
  const late = await endedRun(db, { job: "a", state: "crashed", agoSeconds: -11 });
  expect((await next()).runs.map((run) => run.id)).toEqual([late]);
});

test("thousands of runs that ended at one instant are each counted once", async () => {
  await using store = await testStore();
  const { db } = store;
  await addJob(db, "a");
  const next = followEndedRuns(db);
  await next();
  await sql`insert into runs (job, trigger, state, run_at, trace_id, requested_by, finished_at)
    select 'a', 'host', 'cancelled', now(), 't', 'test', now() from generate_series(1, 12000)`.execute(db);
  const { runs } = await next();
  expect(new Set(runs.map(({ id }) => id)).size).toBe(12_000);
  expect(runs).toHaveLength(12_000);
  expect((await next()).runs).toEqual([]);
});

test.each(storeKinds)("a window tells outcomes, percentiles, lateness, effects and tokens (%s)", async (kind) => {
  await using store = await testStore(kind);
  const { db } = store;
  await addJob(db, "a");
  await addJob(db, "b");
  for (let n = 1; n <= 100; n += 1)
    await endedRun(db, { job: "a", state: "succeeded", agoSeconds: n, seconds: n, late: n / 100 });
  const failed = await endedRun(db, { job: "b", state: "failed", agoSeconds: 5, seconds: 7, attempt: 2 });
  await endedRun(db, { job: "b", state: "succeeded", agoSeconds: 2 * 3_600 });
  await effect(db, failed, 1, "llm.generate", "ok", answer);
  await sql`insert into skipped_slots (job, schedule_key, slot, last_slot, slots, outcome, reason)
    values ('a', 'main', now() - interval '3 minutes', now() - interval '1 minute', 3, 'skipped', 'busy'),
      ('a', 'main', now() - interval '3 hours', now() - interval '3 hours', 1, 'missed', 'off')`.execute(db);

  const hour = await summarizeWindow(db, "1h");
  expect(hour).toMatchObject({ window: "1h", complete: true, runs: 101, slots: { skipped: 3, missed: 0 } });
  expect(hour.lateness.runs).toBe(100);
  expect(hour.lateness.p50).toBeCloseTo(0.505, 6);
  expect(hour.lateness.p99).toBeCloseTo(0.9901, 6);
  expect(hour.jobs.map(({ job, runs, succeeded, failed, retries }) => [job, runs, succeeded, failed, retries])).toEqual(
    [
      ["a", 100, 100, 0, 0],
      ["b", 1, 0, 1, 1],
    ],
  );
  expect(hour.jobs[0]?.p95).toBeCloseTo(95.05, 6);
  expect(hour.effects).toEqual([{ op: "llm.generate", outcome: "ok", count: 1, promptTokens: 12, outputTokens: 30 }]);

  expect(await summarizeWindow(db, "24h")).toMatchObject({ runs: 102, slots: { skipped: 3, missed: 1 } });
  const cut = await summarizeWindow(db, "24h", { runs: 10 });
  expect(cut).toMatchObject({ complete: false, runs: 10 });
  expect(cut.since.getTime()).toBeGreaterThan(hour.since.getTime());
  expect((await summarizeWindow(db, "1h", { effects: 1 })).effectsComplete).toBe(false);
});

test("an empty store has a summary too", async () => {
  await using store = await testStore();
  const summary = await summarizeWindow(store.db, "7d");
  expect(summary).toMatchObject({ runs: 0, jobs: [], effects: [], complete: true, lateness: { runs: 0, p50: null } });
});

test.each(storeKinds)("the queue is told by what runs wait for (%s)", async (kind) => {
  await using store = await testStore(kind);
  const { db } = store;
  await addJob(db, "a");
  await addJob(db, "held", { state: "paused" });
  const insert = (job: string, state: string, at: string) =>
    sql`insert into runs (job, trigger, state, run_at, trace_id, requested_by)
      values (${job}, 'host', ${state}, now() + ${at}::interval, 't', 'test')`.execute(db);
  await insert("a", "queued", "-90 seconds");
  await insert("a", "queued", "-1 second");
  await insert("a", "queued", "1 hour");
  await insert("held", "queued", "-1 hour");
  for (const state of ["running", "suspended", "needs_decision", "succeeded", "failed"]) await insert("a", state, "0");
  const { runs, oldestDueSeconds } = await readQueueDepth(db);
  expect(runs).toEqual({ due: 2, waiting: 1, paused: 1, running: 1, suspended: 1, needs_decision: 1 });
  expect(oldestDueSeconds).toBeGreaterThanOrEqual(90);
  expect(oldestDueSeconds).toBeLessThan(3_600);
});
