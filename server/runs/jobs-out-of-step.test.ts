import { expect, test } from "vitest";
import { addJob, testManifest, testSchedule } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { canonicalJson } from "../canonical-json.ts";
import { sha256 } from "../sha256.ts";
import { findJobsOutOfStep } from "./jobs-out-of-step.ts";
import { syncSchedules } from "./sync-schedules.ts";
import { syncAfterTriggers } from "./triggers/sync-after.ts";
import type { ActiveApproval } from "./workers/signed-manifests.ts";

const now = new Date("2026-01-01T00:00:00Z");
const manifest = testManifest({
  schedules: [testSchedule({ key: "b" }), testSchedule({ key: "a", cron: "0 * * * *" })],
});

/** An approval of version 1. */
function approved(name: string, text = canonicalJson(manifest)): ActiveApproval {
  return { decision: { name, version: 1, manifest: sha256(text) } };
}

test("only jobs whose schedules are not those of their approval are looked at one by one", async () => {
  await using store = await testStore();
  const { db } = store;
  const { schedules } = manifest;
  for (const name of ["in-step", "changed", "unread", "revoked", "never", "new"]) await addJob(db, name, { schedules });
  await addJob(db, "plain");
  await addJob(db, "retired", { schedules, state: "retired" });
  for (const job of ["in-step", "changed", "unread", "revoked", "retired"])
    await syncSchedules(db, job, 1, manifest, now);
  await db.updateTable("schedules").set({ version: 7 }).where("job", "=", "changed").where("key", "=", "a").execute();
  const live = [
    ...["in-step", "changed", "new", "retired"].map((name) => approved(name)),
    approved("plain", canonicalJson(testManifest())),
    approved("unread", "another text"),
  ];
  expect(await findJobsOutOfStep(db, live)).toEqual(["changed", "new", "retired", "revoked", "unread"]);
});

test("a job whose after triggers are not those of its approval is looked at, too", async () => {
  await using store = await testStore();
  const { db } = store;
  const follower = testManifest({ triggers: { after: [{ job: "first", on: "end" }], files: [], webhook: false } });
  for (const name of ["first", "known", "new"]) await addJob(db, name, follower);
  await syncAfterTriggers(db, "known", { version: 1, manifest: follower });
  await syncAfterTriggers(db, "first", { version: 1, manifest: follower });
  const live = ["known", "new"].map((name) => approved(name, canonicalJson(follower)));
  expect(await findJobsOutOfStep(db, live)).toEqual(["first", "new"]);
});
