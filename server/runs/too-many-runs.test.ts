import { sql } from "kysely";
import { expect, test } from "vitest";
import { addJob } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import type { Db } from "../store/open-store.ts";
import { countStarts } from "./too-many-runs.ts";

/** Runs of a job that started so long ago. */
async function starts(db: Db, job: string, count: number, ago: string): Promise<void> {
  await sql`insert into runs (job, trigger, state, run_at, attempt, trace_id, requested_by, started_at, finished_at)
    select ${job}::text, 'host', 'succeeded', now(), 1, 't', 'test', now() - ${ago}::interval, now()
    from generate_series(1, ${count}::integer)`.execute(db);
}

async function rowsRead(db: Db): Promise<number> {
  await sql`select pg_stat_force_next_flush()`.execute(db);
  const { rows } = await sql<{ rows: number }>`select seq_tup_read + idx_tup_fetch as rows
    from pg_stat_user_tables where relname = 'runs'`.execute(db);
  return rows[0]?.rows ?? Number.NaN;
}

const next = (job: string) => ({ id: 1_000_000, job });

test("starts of this worker and of others count, those of other jobs and older ones do not", async () => {
  await using store = await testStore();
  const { db } = store;
  for (const job of ["a", "b"]) await addJob(db, job);
  const tooManyRuns = countStarts(db);
  const limits = { runsPerHour: 300 };
  await starts(db, "a", 90, "70 minutes");
  await starts(db, "b", 400, "1 minute");
  expect(await tooManyRuns(next("a"), limits)).toBeUndefined();
  for (const count of [100, 100, 99]) {
    await starts(db, "a", count, "0 seconds");
    expect(await tooManyRuns(next("a"), limits), `after ${count} more`).toBeUndefined();
  }
  await starts(db, "a", 1, "0 seconds");
  expect((await tooManyRuns(next("a"), limits))?.error).toMatchObject({ reason: "runs_per_hour", class: "policy" });
  expect((await tooManyRuns(next("a"), { runsPerHour: 301 }))?.error, "a limit that was raised").toBeUndefined();
});

test("what has left the hour makes room again", async () => {
  await using store = await testStore();
  const { db } = store;
  await addJob(db, "a");
  const tooManyRuns = countStarts(db);
  await starts(db, "a", 150, "59 minutes");
  const limits = { runsPerHour: 160 };
  expect(await tooManyRuns(next("a"), limits)).toBeUndefined();
  await starts(db, "a", 10, "0 seconds");
  expect(await tooManyRuns(next("a"), limits)).toBeDefined();
  await sql`update runs set started_at = started_at - interval '2 minutes'`.execute(db);
  expect(await tooManyRuns(next("a"), limits)).toBeUndefined();
});

test("what a start costs does not grow with the starts before it", async () => {
  await using store = await testStore("pglite");
  const { db } = store;
  await addJob(db, "a");
  const tooManyRuns = countStarts(db);
  const limits = { runsPerHour: 100_000 };
  await starts(db, "a", 5_000, "10 minutes");
  await tooManyRuns(next("a"), limits);
  const before = await rowsRead(db);
  for (let i = 0; i < 20; i++) await tooManyRuns(next("a"), limits);
  expect((await rowsRead(db)) - before).toBeLessThan(200);
});
