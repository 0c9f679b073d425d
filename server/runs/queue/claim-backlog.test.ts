import { sql } from "kysely";
import { expect, test } from "vitest";
import { addJob } from "../../../tests/support/runs.ts";
import { storeKinds, testStore } from "../../../tests/support/store.ts";
import type { Db } from "../../store/open-store.ts";
import { claim } from "./claim.ts";

/** More than one round of a claim looks at. */
const many = 500;

async function backlog(
  db: Db,
  given: { job: string; count: number; priority?: number; concurrency?: number | null; state?: string; late?: number },
): Promise<void> {
  const { job, count, priority = 0, concurrency = 1, state = "queued", late = 1 } = given;
  await sql`insert into runs (job, trigger, state, priority, concurrency, run_at, trace_id, requested_by)
    select ${job}, 'host', ${state}, ${priority}, ${concurrency}::integer, now() - ${late}::integer * interval '1 minute' + n * interval '1 microsecond', 't', 'test'
    from generate_series(1, ${count}::integer) as n`.execute(db);
}

async function claimed(db: Db, limit: number): Promise<string[]> {
  const { runs } = await claim(db, { worker: "w", limit });
  return runs.map(({ job }) => job);
}

test.each(storeKinds)("behind hundreds of runs that may not start, the next that may is found (%s)", async (kind) => {
  await using store = await testStore(kind);
  const { db } = store;
  for (const job of ["busy", "held", "other", "last"])
    await addJob(db, job, { state: job === "held" ? "paused" : "active" });
  await backlog(db, { job: "busy", count: many, late: 60, priority: 5 });
  await backlog(db, { job: "held", count: many, late: 50, priority: 5 });
  await backlog(db, { job: "other", count: many, late: 40, concurrency: 3 });
  await backlog(db, { job: "last", count: 1, priority: -1 });
  expect(await claimed(db, 2)).toEqual(["busy", "other"]);
  expect(await claimed(db, 10)).toEqual(["other", "other", "last"]);
  expect(await claimed(db, 10)).toEqual([]);
});

test.each(storeKinds)("hundreds that may start go by priority, then by age (%s)", async (kind) => {
  await using store = await testStore(kind);
  const { db } = store;
  for (const job of ["low", "old", "young", "high"]) await addJob(db, job);
  const free = { concurrency: null };
  await backlog(db, { job: "young", count: many, late: 10, ...free });
  await backlog(db, { job: "old", count: 3, late: 20, ...free });
  await backlog(db, { job: "low", count: many, late: 90, priority: -3, ...free });
  await backlog(db, { job: "high", count: 2, priority: 9, ...free });
  expect(await claimed(db, 7)).toEqual(["high", "high", "old", "old", "old", "young", "young"]);
  const rest = await claimed(db, 600);
  expect(rest).toHaveLength(600);
  expect(rest.indexOf("low")).toBe(many - 2);
});
