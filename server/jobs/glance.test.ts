import { expect, test } from "vitest";
import { addJob, testSchedule } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { canonicalJson } from "../canonical-json.ts";
import { listComingSlots } from "../daemon/api/coming-slots.ts";
import type { Db } from "../store/open-store.ts";
import { glanceAtJobs } from "./glance.ts";

const now = new Date("2026-01-01T00:00:00Z");
const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);

async function schedule(db: Db, job: string, key: string, cron: string, minutes: number | null): Promise<void> {
  await db
    .insertInto("schedules")
    .values({
      job,
      key,
      version: 1,
      spec: canonicalJson(testSchedule({ key, cron })),
      next_slot: minutes === null ? null : at(minutes),
    })
    .execute();
}

test("counts are of all jobs, names of the first; what is paused or retired does not come next", async () => {
  await using store = await testStore();
  const { db } = store;
  for (let n = 0; n < 5; n += 1) await addJob(db, `paused-${n}`, { state: "paused" });
  for (const name of ["a", "b", "c"]) await addJob(db, name);
  await addJob(db, "gone", { state: "retired" });
  for (const job of ["a", "gone", "paused-1"]) {
    await db.updateTable("versions").set({ state: "pending" }).where("job", "=", job).execute();
  }
  await schedule(db, "a", "late", "0 * * * *", 60);
  await schedule(db, "a", "soon", "* * * * *", 3);
  await schedule(db, "b", "main", "* * * * *", 2);
  await schedule(db, "c", "main", "* * * * *", null);
  await schedule(db, "paused-1", "main", "* * * * *", 1);
  expect(await glanceAtJobs(db, 2)).toEqual({
    count: 9,
    paused: { first: ["paused-0", "paused-1"], count: 5 },
    waiting: {
      first: [
        { job: "a", version: 1 },
        { job: "paused-1", version: 1 },
      ],
      count: 2,
    },
    next: {
      first: [
        { job: "b", at: at(2) },
        { job: "a", at: at(3) },
      ],
      count: 2,
    },
  });
});

test("coming slots are those of all schedules in order, however few of them are asked for", async () => {
  await using store = await testStore();
  const { db } = store;
  for (const name of ["hourly", "often", "twice"]) await addJob(db, name);
  await schedule(db, "hourly", "main", "0 * * * *", 60);
  await schedule(db, "often", "main", "*/20 * * * *", 20);
  await schedule(db, "twice", "half", "30 * * * *", 30);
  await schedule(db, "twice", "quarter", "45 * * * *", 45);
  const all = await listComingSlots(db, { limit: 8, now });
  expect(all.map(({ job, slot }) => [job, (slot.getTime() - now.getTime()) / 60_000])).toEqual([
    ["often", 20],
    ["twice", 30],
    ["often", 40],
    ["twice", 45],
    ["hourly", 60],
    ["often", 60],
    ["often", 80],
    ["twice", 90],
  ]);
  for (const limit of [1, 2, 3]) {
    expect(await listComingSlots(db, { limit, now })).toEqual(all.slice(0, limit));
  }
});
