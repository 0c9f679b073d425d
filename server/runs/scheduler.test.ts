import { expect, test } from "vitest";
import { addJob, testManifest, testSchedule } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { silentLog } from "../log.ts";
import { startScheduler } from "./scheduler.ts";

/** Approvals that a test turns on and off; the real ones verify signatures, which is not what is tested here. */
function testApprovals(manifest: Manifest) {
  const callbacks = new Set<(job: string) => void>();
  let version: number | undefined;
  return {
    set(next: number | undefined) {
      version = next;
      for (const callback of callbacks) callback("a");
    },
    live: async () => [],
    active: async () => (version === undefined ? undefined : { version, decidedAt: "", keyId: "" }),
    requireRunnable: async () => ({ version: version ?? 0, manifest, bundle: "", bundleHash: "", sourceMap: null }),
    onChange(callback: (job: string) => void) {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
  };
}

test("slots exist while a version is approved, and each fires at its time", async () => {
  await using store = await testStore();
  const { db } = store;
  const schedules = [testSchedule({ cron: "* * * * * *", overlap: "allow" })];
  await addJob(db, "a", { schedules });
  const approvals = testApprovals(testManifest({ schedules }));
  const fired = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let nudges = 0;
  const nudge = () => fired[nudges++]?.resolve();
  const scheduler = startScheduler({ store, approvals, log: silentLog, clock: () => new Date(), nudge });
  await scheduler.tick();
  expect(await db.selectFrom("schedules").selectAll().execute()).toEqual([]);
  approvals.set(1);
  await Promise.all(fired.map((each) => each.promise));
  approvals.set(undefined);
  await scheduler[Symbol.asyncDispose]();
  expect(await db.selectFrom("schedules").selectAll().execute()).toEqual([]);
  const runs = await db.selectFrom("runs").select(["slot", "created_at"]).orderBy("slot").execute();
  expect(runs.length).toBeGreaterThanOrEqual(3);
  const slots = runs.map((run) => run.slot?.getTime() ?? 0);
  for (const [i, slot] of slots.entries()) expect(slot).toBe((slots[0] ?? 0) + i * 1_000);
});
