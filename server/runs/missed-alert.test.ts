import { describe, expect, test } from "vitest";
import { addJob, testManifest, testSchedule } from "../../tests/support/runs.ts";
import { storeKinds, testStore } from "../../tests/support/store.ts";
import type { FrozenSchedule } from "../jobs/manifest.ts";
import type { Db } from "../store/open-store.ts";
import { openAlerts } from "./alerts.ts";
import { fireDueSlots } from "./fire-slots.ts";
import { reap } from "./queue/reap.ts";
import { removeSchedules, syncSchedules } from "./sync-schedules.ts";

const at = (time: string) => new Date(`2026-01-05T${time}Z`);
const key = "job:feed:missed";
const open = async (db: Db) => (await openAlerts(db)).map(({ key, message, count }) => [key, count, message]);

async function schedule(db: Db, ...schedules: FrozenSchedule[]): Promise<void> {
  await addJob(db, "feed", { schedules });
  await syncSchedules(db, "feed", 1, testManifest({ schedules }), at("08:00:00"));
}

describe.each(storeKinds)("missed slots on %s", (kind) => {
  test("slots that nobody met and that are not made up for open one alert; the next one that is met on time ends it", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await schedule(db, testSchedule({ catchUp: "latest", overlap: "allow" }));
    await fireDueSlots(db, at("08:01:00"));
    expect(await open(db)).toEqual([]);
    await fireDueSlots(db, at("08:05:30"));
    const span = "2026-01-05 08:02:00 UTC to 2026-01-05 08:04:00 UTC";
    const why = "no daemon was running (catchUp: latest)";
    expect(await open(db)).toEqual([[key, 1, `feed missed 3 slots, ${span}: ${why}`]]);
    await fireDueSlots(db, at("08:08:30"));
    expect(await open(db)).toEqual([[key, 2, expect.stringContaining("08:06:00 UTC to")]]);
    await fireDueSlots(db, at("08:09:00"));
    expect(await open(db)).toEqual([]);
  });

  test("where the one slot that was missed is made up for, nothing was missed", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await schedule(db, testSchedule({ catchUp: "latest" }));
    await fireDueSlots(db, at("08:01:30"));
    expect(await open(db)).toEqual([]);
    expect(await db.selectFrom("runs").select("id").execute()).toHaveLength(1);
  });

  test("a run that could not start within its startDeadline is a missed slot", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await schedule(db, testSchedule({ startDeadlineMs: 5_000, overlap: "allow" }));
    await fireDueSlots(db, at("08:01:00"));
    await reap(db, { now: at("08:01:05") });
    expect(await open(db)).toEqual([]);
    await reap(db, { now: at("08:01:06") });
    expect(await open(db)).toEqual([
      [key, 1, "R1 of feed missed its slot: it could not start within the schedule's startDeadline"],
    ]);
    await reap(db, { now: at("08:01:07") });
    expect((await openAlerts(db)).map(({ count }) => count)).toEqual([1]);
  });

  test("without a schedule nobody waits for the next slot, so the alert is closed", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await schedule(db, testSchedule({ catchUp: "none" }));
    const miss = () => fireDueSlots(db, at("08:05:30"));
    await miss();
    expect(await open(db)).toHaveLength(1);
    await syncSchedules(db, "feed", 2, testManifest(), at("08:06:00"));
    expect(await open(db)).toEqual([]);
    await syncSchedules(
      db,
      "feed",
      3,
      testManifest({ schedules: [testSchedule({ catchUp: "none" })] }),
      at("08:00:00"),
    );
    await miss();
    expect(await open(db)).toHaveLength(1);
    await removeSchedules(db, "feed", { reason: "the job was retired", now: at("08:00:01") });
    expect(await open(db)).toEqual([]);
  });
});
