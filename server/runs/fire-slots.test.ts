import { describe, expect, test } from "vitest";
import { addJob, testManifest, testSchedule } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import type { FrozenSchedule } from "../jobs/manifest.ts";
import type { Db } from "../store/open-store.ts";
import { openAlerts } from "./alerts.ts";
import { findNextSlot, fireDueSlots } from "./fire-slots.ts";
import { claim } from "./queue/claim.ts";
import { settle } from "./queue/settle.ts";
import { removeSchedules, syncSchedules } from "./sync-schedules.ts";

const day = "2026-01-05";
const at = (time: string) => new Date(`${day}T${time}Z`);

async function schedule(db: Db, job: string, now: Date, ...schedules: FrozenSchedule[]): Promise<void> {
  await addJob(db, job, { schedules });
  await syncSchedules(db, job, 1, testManifest({ schedules }), now);
}

async function slotsOf(db: Db, job: string): Promise<string[]> {
  const rows = await db.selectFrom("runs").select("slot").where("job", "=", job).orderBy("slot").execute();
  return rows.map((row) => row.slot?.toISOString() ?? "none");
}

async function skipsOf(db: Db, job: string) {
  const rows = await db.selectFrom("skipped_slots").selectAll().where("job", "=", job).orderBy("slot").execute();
  return rows.map((row) => [
    row.slot.toISOString().slice(11, 19),
    row.last_slot.toISOString().slice(11, 19),
    row.slots,
    row.outcome,
    row.reason,
  ]);
}

async function finishAll(db: Db): Promise<void> {
  const { runs } = await claim(db, { worker: "w", limit: 1_000 });
  for (const run of runs) {
    await settle(db, {
      runId: run.id,
      attempt: run.attempt,
      lease: run.lease,
      outcome: { state: "succeeded", output: null, error: null },
      retry: null,
    });
  }
}

describe.each(["pglite", "postgres"] as const)("slots on %s", (kind) => {
  test("two schedulers that tick the same slots make each slot one run", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const jobs = Array.from({ length: 25 }, (_, i) => `job-${i}`);
    for (const job of jobs)
      await schedule(db, job, at("08:00:00"), testSchedule({ cron: "* * * * * *", overlap: "allow" }));
    for (let second = 1; second <= 4; second++) {
      const now = at(`08:00:0${second}`);
      await Promise.all([fireDueSlots(db, now), fireDueSlots(db, now), fireDueSlots(db, now)]);
    }
    const want = [1, 2, 3, 4].map((second) => at(`08:00:0${second}`).toISOString());
    for (const job of jobs) expect(await slotsOf(db, job)).toEqual(want);
    expect(await findNextSlot(db)).toEqual(at("08:00:05"));
  });

  test("a clock that goes back fires nothing twice", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await schedule(db, "a", at("08:00:30"), testSchedule({ overlap: "allow" }));
    for (const time of ["08:01:00", "08:02:00", "07:02:30", "08:01:00", "08:02:00", "08:03:00"])
      await fireDueSlots(db, at(time));
    // A job approved anew while the clock is behind starts over, and still makes no second run of a slot.
    await db.deleteFrom("schedules").execute();
    await syncSchedules(db, "a", 2, testManifest({ schedules: [testSchedule({ overlap: "allow" })] }), at("08:00:30"));
    for (const time of ["08:01:00", "08:02:00", "08:03:00", "08:04:00"]) await fireDueSlots(db, at(time));
    expect(await slotsOf(db, "a")).toEqual(
      ["08:01:00", "08:02:00", "08:03:00", "08:04:00"].map((time) => at(time).toISOString()),
    );
  });
});

test.each([
  ["none", 10, [], [["08:01:00", "09:00:00", 60, "missed", "no daemon was running (catchUp: none)"]]],
  ["latest", 10, ["09:00:00"], [["08:01:00", "08:59:00", 59, "missed", "no daemon was running (catchUp: latest)"]]],
  [
    "all",
    3,
    ["08:58:00", "08:59:00", "09:00:00"],
    [["08:01:00", "08:57:00", 57, "missed", "no daemon was running (catchUp: all)"]],
  ],
  [
    "all",
    60,
    Array.from(
      { length: 60 },
      (_, i) => `0${8 + Math.floor((i + 1) / 60)}:${String((i + 1) % 60).padStart(2, "0")}:00`,
    ),
    [],
  ],
] as const)(
  "after an hour away, catchUp %s (max %i) gives every slot its outcome",
  async (catchUp, catchUpMax, ran, skipped) => {
    await using store = await testStore("pglite");
    const { db } = store;
    await schedule(db, "a", at("08:00:00"), testSchedule({ catchUp, catchUpMax }));
    await fireDueSlots(db, at("09:00:20"));
    expect(await slotsOf(db, "a")).toEqual(ran.map((time) => at(time).toISOString()));
    expect(await skipsOf(db, "a")).toEqual(skipped);
    expect(await findNextSlot(db)).toEqual(at("09:01:00"));
  },
);

test("a year away from a schedule of seconds is one record and one run", async () => {
  await using store = await testStore("pglite");
  const { db } = store;
  await schedule(db, "a", new Date("2025-01-05T09:00:00Z"), testSchedule({ cron: "* * * * * *" }));
  await fireDueSlots(db, at("09:00:00"));
  expect(await slotsOf(db, "a")).toEqual([at("09:00:00").toISOString()]);
  expect(await skipsOf(db, "a")).toEqual([
    ["09:00:01", "08:59:59", null, "missed", "no daemon was running (catchUp: latest)"],
  ]);
});

test("overlap: skip records, queue waits, replace cancels, allow runs beside", async () => {
  await using store = await testStore("pglite");
  const { db } = store;
  for (const overlap of ["skip", "queue", "replace", "allow"] as const) {
    await schedule(db, overlap, at("08:00:00"), testSchedule({ overlap }));
  }
  await fireDueSlots(db, at("08:01:00"));
  expect((await claim(db, { worker: "w", limit: 9 })).runs).toHaveLength(4);
  await fireDueSlots(db, at("08:02:00"));
  await fireDueSlots(db, at("08:03:00"));
  const rows = await db.selectFrom("runs").selectAll().orderBy("job").orderBy("id").execute();
  const states = (job: string) => rows.filter((run) => run.job === job).map((run) => run.state);
  expect(states("skip")).toEqual(["running"]);
  expect(await skipsOf(db, "skip")).toMatchObject([
    ["08:02:00", "08:03:00", 2, "skipped", expect.stringMatching(/^R\d+ had not ended$/)],
  ]);
  expect(states("queue")).toEqual(["running", "queued", "queued"]);
  expect(states("replace")).toEqual(["running", "cancelled", "queued"]);
  expect(rows.find((run) => run.job === "replace")?.cancel_requested_by).toBe("schedule");
  expect(states("allow")).toEqual(["running", "queued", "queued"]);
  const next = await claim(db, { worker: "w", limit: 9 });
  expect(next.runs.map((run) => run.job)).toEqual(["allow", "allow"]);
});

test("slots of a paused job share one record until it runs again; a retired job has none", async () => {
  await using store = await testStore("pglite");
  const { db } = store;
  await schedule(db, "a", at("08:00:00"), testSchedule());
  const set = (state: "active" | "paused" | "retired") =>
    db
      .updateTable("jobs")
      .set({ state, paused_by: state === "paused" ? "agent" : null })
      .execute();
  await set("paused");
  for (const time of ["08:01:00", "08:02:00", "08:03:00"]) await fireDueSlots(db, at(time));
  await set("active");
  await fireDueSlots(db, at("08:04:00"));
  await finishAll(db);
  await set("paused");
  await fireDueSlots(db, at("08:05:00"));
  const reason = "the job was paused (agent)";
  expect(await skipsOf(db, "a")).toEqual([
    ["08:01:00", "08:03:00", 3, "skipped", reason],
    ["08:05:00", "08:05:00", 1, "skipped", reason],
  ]);
  expect(await slotsOf(db, "a")).toEqual([at("08:04:00").toISOString()]);
  await set("retired");
  await fireDueSlots(db, at("08:06:00"));
  expect(await findNextSlot(db)).toBeUndefined();
});

test("a version that changes a schedule keeps what is unchanged, and accounts for a slot that was due", async () => {
  await using store = await testStore("pglite");
  const { db } = store;
  const same = testSchedule({ key: "same" });
  await schedule(db, "a", at("08:00:00"), same, testSchedule({ key: "changed" }), testSchedule({ key: "gone" }));
  const schedules = [same, testSchedule({ key: "changed", cron: "30 * * * *" })];
  await syncSchedules(db, "a", 2, testManifest({ schedules }), at("08:01:05"));
  const rows = await db.selectFrom("schedules").select(["key", "version", "next_slot"]).orderBy("key").execute();
  expect(rows).toEqual([
    { key: "changed", version: 2, next_slot: at("08:30:00") },
    { key: "same", version: 2, next_slot: at("08:01:00") },
  ]);
  expect((await skipsOf(db, "a")).map((row) => row[4]).sort()).toEqual([
    "v2 changed the schedule",
    "v2 has no such schedule",
  ]);
});

test("slots that were due when a job lost its schedules have their outcome", async () => {
  await using store = await testStore("pglite");
  const { db } = store;
  await schedule(db, "a", at("08:00:00"), testSchedule());
  await removeSchedules(db, "a", { reason: "no version was approved any more", now: at("08:02:30") });
  expect(await findNextSlot(db)).toBeUndefined();
  expect(await skipsOf(db, "a")).toEqual([["08:01:00", "08:02:00", 2, "skipped", "no version was approved any more"]]);
});

test("a schedule that cannot be read stops with an alert and holds up no other", async () => {
  await using store = await testStore("pglite");
  const { db } = store;
  await schedule(db, "bad", at("08:00:00"), testSchedule());
  await schedule(db, "good", at("08:00:00"), testSchedule());
  await db.updateTable("schedules").set({ spec: "{" }).where("job", "=", "bad").execute();
  await fireDueSlots(db, at("08:01:00"));
  expect(await slotsOf(db, "good")).toHaveLength(1);
  expect(await openAlerts(db)).toMatchObject([{ key: "job:bad:schedule:main" }]);
});

// 2026: Berlin 29 March 02:00 -> 03:00 and 25 October 03:00 -> 02:00; New York 8 March 02:00 -> 03:00 and 1 November 02:00 -> 01:00.
test.each([
  ["Europe/Berlin", "0 * * * *", "2026-03-28T23:30:00Z", 4, ["00", "01", "02", "03"]],
  ["Europe/Berlin", "0 * * * *", "2026-10-24T23:30:00Z", 4, ["00", "01", "02", "03"]],
  ["America/New_York", "0 * * * *", "2026-03-08T05:30:00Z", 4, ["06", "07", "08", "09"]],
  ["America/New_York", "0 * * * *", "2026-11-01T04:30:00Z", 4, ["05", "06", "07", "08"]],
  ["Europe/Berlin", "0 8 * * *", "2026-03-28T06:30:00Z", 47, ["07", "06"]],
  ["America/New_York", "0 8 * * *", "2026-10-31T11:30:00Z", 48, ["12", "13"]],
])(
  "%s, %s: across the change of %s no hour or day is lost or doubled",
  async (timezone, cron, start, hours, expected) => {
    await using store = await testStore("pglite");
    const { db } = store;
    const from = new Date(start);
    await schedule(db, "a", from, testSchedule({ cron, timezone, overlap: "allow" }));
    for (let minutes = 0; minutes <= hours * 60; minutes += 30)
      await fireDueSlots(db, new Date(from.getTime() + minutes * 60_000));
    expect((await slotsOf(db, "a")).map((slot) => slot.slice(11, 13))).toEqual(expected);
    expect(await skipsOf(db, "a")).toEqual([]);
  },
);
