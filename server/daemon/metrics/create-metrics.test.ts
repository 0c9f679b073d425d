import { afterEach, expect, test } from "vitest";
import { readExposition, sampleOf } from "../../../tests/support/exposition.ts";
import { addJob } from "../../../tests/support/runs.ts";
import { testStore } from "../../../tests/support/store.ts";
import { silentLog } from "../../log.ts";
import { enqueue } from "../../runs/queue/enqueue.ts";
import { cached } from "./cached.ts";
import { createMetrics } from "./create-metrics.ts";
import { createPrometheus } from "./prometheus.ts";

const health = { memory_bytes: 1, heap_bytes: 1, cpu_seconds: 1, event_loop_seconds: { p50: 0, p99: 0, max: 0 } };
const order = { trigger: "host", requestedBy: "test", traceId: "t" } as const;
let now = 0;
const clock = () => now;
afterEach(() => {
  now = 0;
});

test("scrapes that come together or soon after each other share one answer of the database", async () => {
  await using store = await testStore();
  await addJob(store.db, "a");
  using metrics = createMetrics({ store, runners: () => ({ idle: 1, busy: 2 }), ops: [], log: silentLog, clock });
  const due = async () =>
    sampleOf(readExposition((await metrics.prometheus()).text), "jobrunner_queue_runs", { state: "due" });
  expect(await due()).toBe(0);
  await enqueue(store.db, { ...order, job: "a" });
  now = 4_999;
  expect(await due()).toBe(0);
  now = 5_000;
  expect(await due()).toBe(1);
});

test("an answer is asked for once by those who wait together, and again after a failure", async () => {
  let asked = 0;
  let broken = true;
  const read = cached(
    async () => {
      asked += 1;
      if (broken) throw new Error("away");
      return asked;
    },
    10,
    clock,
  );
  const failed = await Promise.allSettled([read(), read()]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(asked).toBe(1);
  broken = false;
  expect(await Promise.all([read(), read()])).toEqual([2, 2]);
  now = 9;
  expect(await read()).toBe(2);
  now = 10;
  expect(await read()).toBe(3);
});

test("without the database a scrape tells of the process, and nothing from memory", async () => {
  const store = await testStore();
  await addJob(store.db, "a");
  using metrics = createMetrics({ store, runners: () => ({ idle: 1, busy: 2 }), ops: [], log: silentLog, clock });
  const scrape = async () => readExposition((await metrics.prometheus()).text);
  expect(sampleOf(await scrape(), "jobrunner_store_up")).toBe(1);
  await store[Symbol.asyncDispose]();
  now = 100_000;
  const samples = await scrape();
  expect(sampleOf(samples, "jobrunner_store_up")).toBe(0);
  expect(sampleOf(samples, "jobrunner_runners", { state: "busy" })).toBe(2);
  expect(sampleOf(samples, "process_resident_memory_bytes")).toBeGreaterThan(0);
  const ofStore = ["queue_runs", "alerts_open", "schedule_behind_seconds", "store_bytes", "workers", "jobs"];
  for (const name of ofStore)
    expect(
      samples.filter((sample) => sample.name === `jobrunner_${name}`),
      name,
    ).toEqual([]);
});

test("however many jobs and made-up effects there are, the series are not more than so many", async () => {
  const exposition = createPrometheus({ version: "1", store: "pglite", ops: ["fetch"] });
  const runs = Array.from({ length: 1_000 }, (_, id) => {
    return { id, job: `job-${id}`, state: "succeeded", retries: 1, seconds: 1, latenessSeconds: null } as const;
  });
  const made = ["fetch", "x1", "x2"].map(
    (op) => ({ op, outcome: "error", count: 1, promptTokens: 0, outputTokens: 0 }) as const,
  );
  exposition.expect(["job-7", "job-999"]);
  exposition.count({ runs, effects: made });
  const samples = readExposition(
    await exposition.text({ store: null, storeBytes: null, health, runners: { idle: 0, busy: 0 } }),
  );
  const ended = samples.filter(
    ({ name, labels }) => name === "jobrunner_runs_ended_total" && labels.state === "succeeded",
  );
  expect(ended).toHaveLength(201);
  expect(ended.reduce((sum, { value }) => sum + value, 0)).toBe(1_000);
  expect(sampleOf(ended, "jobrunner_runs_ended_total", { job_name: "job-999" })).toBe(1);
  expect(sampleOf(ended, "jobrunner_runs_ended_total", { job_name: "(others)" })).toBe(800);
  const ops = samples.filter(({ name }) => name === "jobrunner_effects_total");
  expect(ops.map(({ labels, value }) => [labels.op, value])).toEqual([
    ["fetch", 1],
    ["(others)", 2],
  ]);
});
