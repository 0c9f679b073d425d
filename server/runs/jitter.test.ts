import { expect, test } from "vitest";
import { addJob, testManifest, testSchedule } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import type { FrozenSchedule } from "../jobs/manifest.ts";
import type { Db } from "../store/open-store.ts";
import { fireDueSlots } from "./fire-slots.ts";
import { startOfSlot } from "./jitter.ts";
import { claim } from "./queue/claim.ts";
import { reap } from "./queue/reap.ts";
import { removeSchedules, syncSchedules } from "./sync-schedules.ts";

const at = (time: string) => new Date(`2026-01-05T${time}Z`);
const hourly = testSchedule({ cron: "0 * * * *", jitterMs: 600_000 });

async function sync(db: Db, version: number, now: Date, ...schedules: FrozenSchedule[]): Promise<void> {
  await syncSchedules(db, "a", version, testManifest({ schedules, priority: 7 }), now);
}

test("a slot's run starts within the jitter, always at the same time, and others at other times", () => {
  const slots = Array.from({ length: 200 }, (_, i) => new Date(at("00:00:00").getTime() + i * 3_600_000));
  const delays = slots.map((slot) => startOfSlot("a", hourly, slot).getTime() - slot.getTime());
  expect(delays).toEqual(slots.map((slot) => startOfSlot("a", hourly, slot).getTime() - slot.getTime()));
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...delays)).toBeLessThanOrEqual(600_000);
  // Spread over the whole of it: each tenth has some of the two hundred.
  expect(new Set(delays.map((ms) => Math.min(9, Math.floor(ms / 60_000)))).size).toBe(10);
  const [slot = at("00:00:00")] = slots;
  expect(startOfSlot("b", hourly, slot)).not.toEqual(startOfSlot("a", hourly, slot));
  expect(startOfSlot("a", { ...hourly, key: "other" }, slot)).not.toEqual(startOfSlot("a", hourly, slot));
  expect(startOfSlot("a", testSchedule(), slot)).toEqual(slot);
});

test("the run waits in the queue, with its priority, and its start deadline counts from then", async () => {
  await using store = await testStore();
  const { db } = store;
  await addJob(db, "a");
  await sync(db, 1, at("07:30:00"), { ...hourly, startDeadlineMs: 60_000 });
  const [run] = await fireDueSlots(db, at("08:00:00"));
  const start = startOfSlot("a", hourly, at("08:00:00"));
  expect(start > at("08:00:00")).toBe(true);
  expect(run).toMatchObject({ slot: at("08:00:00"), run_at: start, priority: 7 });
  expect(run?.start_by).toEqual(new Date(start.getTime() + 60_000));
  const claimAt = async (now: Date) => (await claim(db, { worker: "w", limit: 1, now })).runs.length;
  expect(await claimAt(new Date(start.getTime() - 1))).toBe(0);
  expect(await reap(db, { now: start })).toEqual([]);
  expect(await claimAt(start)).toBe(1);
});

test("a slot that is made up for starts at once where its time has passed", async () => {
  await using store = await testStore();
  const { db } = store;
  await addJob(db, "a");
  await sync(db, 1, at("07:30:00"), { ...hourly, startDeadlineMs: 60_000 });
  const now = at("08:50:00");
  const [run] = await fireDueSlots(db, now);
  expect(run?.slot).toEqual(at("08:00:00"));
  expect((run?.run_at ?? now) <= new Date()).toBe(true);
  expect(run?.start_by).toEqual(new Date(now.getTime() + 60_000));
});

test("a waiting slot ends with an outcome, too, when its schedule is changed, removed or was due unseen", async () => {
  await using store = await testStore();
  const { db } = store;
  await addJob(db, "a");
  await sync(db, 1, at("07:30:00"), hourly);
  const [first] = await fireDueSlots(db, at("08:00:00"));
  // Approved again without a change: the run keeps its place.
  await sync(db, 2, at("08:00:01"), hourly);
  const stateOf = (id = 0) => db.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirst();
  expect(await stateOf(first?.id)).toMatchObject({ state: "queued" });
  await sync(db, 3, at("08:00:02"), { ...hourly, cron: "30 * * * *" });
  expect(await stateOf(first?.id)).toMatchObject({
    state: "cancelled",
    cancel_requested_by: "schedule: v3 changed the schedule",
  });
  const [second] = await fireDueSlots(db, at("08:30:00"));
  await sync(db, 4, at("08:30:01"));
  expect(await stateOf(second?.id)).toMatchObject({
    state: "cancelled",
    cancel_requested_by: "schedule: v4 has no such schedule",
  });
  await sync(db, 5, at("08:30:02"), hourly);
  await removeSchedules(db, "a", { reason: "no version was approved any more", now: at("10:10:00") });
  const skipped = await db.selectFrom("skipped_slots").selectAll().execute();
  expect(skipped.map(({ slot, last_slot, outcome, reason }) => [slot, last_slot, outcome, reason])).toEqual([
    [at("09:00:00"), at("10:00:00"), "skipped", "no version was approved any more"],
  ]);
});

test("a schedule that a former release wrote keeps its slots", async () => {
  await using store = await testStore();
  const { db } = store;
  await addJob(db, "a");
  const plain = testSchedule({ cron: "0 * * * *" });
  await sync(db, 1, at("07:30:00"), plain);
  const { jitterMs: _left, ...former } = plain;
  await db
    .updateTable("schedules")
    .set({ spec: JSON.stringify(former) })
    .execute();
  await sync(db, 2, at("08:30:00"), plain);
  expect(await db.selectFrom("schedules").select(["version", "next_slot"]).execute()).toEqual([
    { version: 2, next_slot: at("08:00:00") },
  ]);
});
