import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addJob } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { glanceAtJobs } from "../jobs/glance.ts";
import { overviewsOf } from "../jobs/read.ts";
import type { Db, Store } from "../store/open-store.ts";
import { beginAttempt } from "./begin-attempt.ts";
import { countDeadLetters, listDeadLetters } from "./dead-letters.ts";
import { readQueueDepth } from "./metrics/queue-depth.ts";
import { claim } from "./queue/claim.ts";
import { enqueue } from "./queue/enqueue.ts";
import { heartbeat } from "./queue/heartbeat.ts";
import { reap } from "./queue/reap.ts";
import { settle } from "./queue/settle.ts";
import { listRuns } from "./read.ts";

/*
 * What is asked again and again must cost what it answers, not what the history holds. Counted are the rows of `runs` that the
 * database reads for it, beside twenty thousand that have ended.
 */
const history = 20_000;
let store: Store;
let db: Db;

beforeAll(async () => {
  store = await testStore("pglite");
  db = store.db;
  for (let n = 0; n < 10; n += 1) await addJob(db, `job-${n}`);
  await sql`insert into runs (job, trigger, state, run_at, attempt, trace_id, requested_by, started_at, finished_at)
    select 'job-' || n % 10, 'host', case when n % 1000 = 0 then 'failed' else 'succeeded' end, now(), 1, 't', 'test', now(),
      now() - n * interval '1 minute' from generate_series(1, ${history}::integer) as n`.execute(db);
  await sql`update runs set dead = true where state = 'failed'`.execute(db);
  await sql`insert into runs (job, trigger, state, run_at, attempt, trace_id, requested_by)
    select 'job-' || n % 10, 'host', 'queued', now() - interval '1 minute', 0, 't', 'test' from generate_series(1, 5) as n`.execute(
    db,
  );
  await sql`analyze`.execute(db);
});
afterAll(() => store[Symbol.asyncDispose]());

async function rowsRead(from: Db, table = "runs"): Promise<number> {
  await sql`select pg_stat_force_next_flush()`.execute(from);
  const { rows } = await sql<{ rows: number }>`select seq_tup_read + idx_tup_fetch as rows
    from pg_stat_user_tables where relname = ${table}`.execute(from);
  return rows[0]?.rows ?? Number.NaN;
}

async function cost(work: () => Promise<unknown>): Promise<number> {
  const before = await rowsRead(db);
  await work();
  return (await rowsRead(db)) - before;
}

const approvals = {
  standing: async () => ({ setUp: true, problem: null, strangers: new Set<string>() }),
  live: async () => [],
  active: async () => undefined,
  requireRunnable: unused,
  requireManifest: unused,
  recheck: unused,
  status: unused,
  decisions: unused,
  liveSubjects: unused,
  requireSigned: unused,
  activeOf: unused,
  onChange: () => () => {},
  onDecision: () => () => {},
} as const;

function unused(): never {
  throw new Error("not asked here");
}

test.each<[string, () => Promise<unknown>]>([
  ["the latest runs", () => listRuns(db, { limit: 50 })],
  ["the latest runs of a job", () => listRuns(db, { job: "job-3", limit: 50 })],
  ["runs that have not ended", () => listRuns(db, { state: ["queued", "running", "suspended"], limit: 50 })],
  ["runs that failed", () => listRuns(db, { state: "failed", limit: 50 })],
  ["runs in a state that none is in", () => listRuns(db, { state: "crashed", limit: 50 })],
  ["dead letters", () => listRuns(db, { dead: true, limit: 50 })],
  ["dead letters in groups", () => listDeadLetters(db, { limit: 50 })],
  ["how many dead letters", () => countDeadLetters(db)],
  ["the queue's depth", () => readQueueDepth(db)],
  ["a heartbeat", () => heartbeat(db, { worker: "w", leases: [{ runId: 1, lease: 1 }] })],
  ["a look for lost runs", () => reap(db)],
  ["jobs at a glance", () => glanceAtJobs(db, 50)],
  ["jobs with their last runs", () => overviewsOf({ store, approvals }, ["job-1", "job-2", "job-3"])],
  ["a claim", () => claim(db, { worker: "w", limit: 1 })],
])("%s reads few rows", async (_name, work) => {
  expect(await cost(work)).toBeLessThan(history / 20);
});

test("reading the history is seen", async () => {
  expect(await cost(() => sql`select max(length(trace_id)) from runs`.execute(db))).toBeGreaterThanOrEqual(history);
});

test("the end of a run reads few attempts in a store that is new, whose tables nobody has counted yet", async () => {
  await using fresh = await testStore("pglite");
  await addJob(fresh.db, "job");
  const runAndEnd = async () => {
    await enqueue(fresh.db, { job: "job", trigger: "host", requestedBy: "test", traceId: "t" });
    const { runs } = await claim(fresh.db, { worker: "w", limit: 1 });
    for (const run of runs) {
      await beginAttempt(fresh.db, run, "w", { version: null, seed: "s", startMs: 0, runner: null });
      const outcome = { state: "succeeded", output: null, error: null } as const;
      await settle(fresh.db, { runId: run.id, attempt: run.attempt, lease: run.lease, outcome, retry: null });
    }
  };
  // The database keeps a plan after some executions.
  for (let n = 0; n < 10; n += 1) await runAndEnd();
  await sql`insert into runs (job, trigger, state, run_at, attempt, trace_id, requested_by, finished_at)
    select 'job', 'host', 'succeeded', now(), 1, 't', 'test', now() from generate_series(1, 2000)`.execute(fresh.db);
  await sql`insert into attempts (run_id, attempt, worker, seed, start_ms, state)
    select id, 1, 'w', 's', 0, 'succeeded' from runs on conflict do nothing`.execute(fresh.db);
  const before = await rowsRead(fresh.db, "attempts");
  await runAndEnd();
  expect((await rowsRead(fresh.db, "attempts")) - before).toBeLessThan(20);
});
