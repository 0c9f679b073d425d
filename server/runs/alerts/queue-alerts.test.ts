import { describe, expect, test } from "vitest";
import { storeKinds, testStore } from "../../../tests/support/store.ts";
import type { Db } from "../../store/open-store.ts";
import { dismissAlerts, openAlerts, raiseAlert, resolveAlert } from "../alerts.ts";
import { type QueueAlerts, queueAlerts } from "./queue-alerts.ts";

const key = "job:feed:failed";
const at = (minutes: number) => new Date(Date.UTC(2026, 0, 5, 8) + minutes * 60_000);

const fail = (db: Db, minutes: number, message = `R${minutes} of feed failed: no answer`) =>
  raiseAlert(db, { key, message, runId: minutes + 1, now: at(minutes) });
const recover = (db: Db, minutes: number) => resolveAlert(db, { key, now: at(minutes) });

/** What is queued at that time, as one line for each target. */
async function told(db: Db, minutes: number, change: Partial<QueueAlerts> = {}): Promise<string[]> {
  const options = {
    targets: ["me"],
    everyMs: 3_600_000,
    recovery: true,
    timezone: "UTC",
    clean: (text: string) => text,
  };
  await queueAlerts(db, { ...options, now: at(minutes), ...change });
  const lines = await db.deleteFrom("alert_lines").returning(["id", "target", "text", "recovery"]).execute();
  return lines
    .toSorted((a, b) => a.id - b.id)
    .map(({ target, text, recovery }) => `${target}${recovery ? " +" : ":"} ${text}`);
}

describe.each(storeKinds)("alerts on %s", (kind) => {
  test("one alert is open per key, counts what happens, keeps its beginning, and starts anew once it was resolved", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await fail(db, 0, "first");
    await fail(db, 1, "second");
    await Promise.all([2, 3, 4].map((minute) => fail(db, minute, "more")));
    const [open, ...others] = await openAlerts(db);
    expect(others).toEqual([]);
    expect(open).toMatchObject({ message: "more", first_message: "first", count: 5, first_at: at(0), untold: 5 });
    expect([await recover(db, 5), await recover(db, 6)]).toEqual([true, false]);
    expect(await openAlerts(db)).toEqual([]);
    await fail(db, 10, "again");
    expect(await openAlerts(db)).toMatchObject([
      { message: "again", first_message: "again", count: 1, first_at: at(10) },
    ]);
  });

  test("a job that fails every minute of a day sends five messages, and one when it recovers", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const sent: [number, string][] = [];
    for (let minute = 0; minute < 1_440; minute += 1) {
      await fail(db, minute, "R7 of feed failed: no answer");
      for (const line of await told(db, minute)) sent.push([minute, line]);
    }
    const line = (times: number, since: string) =>
      `me: R7 of feed failed: no answer (${times} times since ${since} UTC). jr show R`;
    expect(sent.map(([minute, text]) => [minute, text.replace(/R\d+$/, "R")])).toEqual([
      [1, line(2, "2026-01-05 08:00:00")],
      [62, line(61, "2026-01-05 08:02:00")],
      [183, line(121, "2026-01-05 09:03:00")],
      [424, line(241, "2026-01-05 11:04:00")],
      [905, line(481, "2026-01-05 15:05:00")],
    ]);
    await recover(db, 1_440);
    expect(await told(db, 1_441)).toEqual([
      "me + Over after 24 h, 1440 times: R7 of feed failed: no answer. jr show R1440",
    ]);
    expect(await told(db, 9_999)).toEqual([]);
  });

  test("a job that fails and recovers in turn sends one message an hour after the first two", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const sent: [number, string][] = [];
    for (let minute = 0; minute < 240; minute += 1) {
      if (minute % 10 === 0) await fail(db, minute);
      if (minute % 10 === 5) await recover(db, minute);
      for (const line of await told(db, minute)) sent.push([minute, line.split(". ")[0] ?? ""]);
    }
    expect(sent).toEqual([
      [1, "me: R0 of feed failed: no answer"],
      [6, "me + Over after 5 min: R0 of feed failed: no answer"],
      [67, "me: Over after 5 min (6 times since 2026-01-05 08:10:00 UTC): R60 of feed failed: no answer"],
      [128, "me: Over after 5 min (6 times since 2026-01-05 09:10:00 UTC): R120 of feed failed: no answer"],
      [189, "me: Over after 5 min (6 times since 2026-01-05 10:10:00 UTC): R180 of feed failed: no answer"],
    ]);
  });

  test("however many senders queue at once, each alert becomes one line per target", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const keys = Array.from({ length: 20 }, (_, i) => `job:j${i}:failed`);
    for (const each of keys) await raiseAlert(db, { key: each, message: each, now: at(0) });
    const options = { targets: ["a", "b"], everyMs: 60_000, recovery: true, timezone: "UTC", now: at(1) };
    const clean = (text: string) => text;
    await Promise.all([1, 2, 3, 4].map(() => queueAlerts(db, { ...options, clean })));
    const lines = await db.selectFrom("alert_lines").select(["target", "text"]).execute();
    const wanted = keys.flatMap((each) =>
      ["a", "b"].map((target) => `${target} ${each}. jr job ${each.split(":")[1]}`),
    );
    expect(lines.map(({ target, text }) => `${target} ${text}`).toSorted()).toEqual(wanted.toSorted());
  });
});

test("what happens together is told together, and the wait says until when", async () => {
  await using store = await testStore();
  const { db } = store;
  const clean = (text: string) => text;
  const queue = (now: Date) =>
    queueAlerts(db, { targets: ["me"], everyMs: 60_000, recovery: true, timezone: "UTC", clean, now });
  expect(await queue(at(0))).toBeNull();
  await fail(db, 0);
  expect(await queue(at(0))).toBe(2_000);
  expect(await db.selectFrom("alert_lines").selectAll().execute()).toEqual([]);
  expect(await queue(new Date(at(0).getTime() + 2_000))).toBeNull();
  expect(await db.selectFrom("alert_lines").selectAll().execute()).toHaveLength(1);
  await fail(db, 1);
  // A minute after it was told, and what gathers then.
  expect(await queue(at(1))).toBe(4_000);
});

test("an end that nobody was told the beginning of is one line, and no news after a day", async () => {
  await using store = await testStore();
  const { db } = store;
  await fail(db, 0);
  await recover(db, 3);
  expect(await told(db, 4)).toEqual(["me: Over after 3 min: R0 of feed failed: no answer. jr show R1"]);
  await fail(db, 100);
  await recover(db, 101);
  expect(await told(db, 101 + 1_441)).toEqual([]);
});

test("with recovery off the end is not told, and the next failure is", async () => {
  await using store = await testStore();
  const { db } = store;
  await fail(db, 0);
  expect(await told(db, 1)).toHaveLength(1);
  await recover(db, 2);
  expect(await told(db, 3, { recovery: false })).toEqual([]);
  await fail(db, 200);
  expect(await told(db, 201)).toEqual(["me: R200 of feed failed: no answer. jr show R201"]);
});

test("a question is told with the command that answers it; its answer is no news", async () => {
  await using store = await testStore();
  const { db } = store;
  const question = "run:R7:question";
  await raiseAlert(db, { key: question, message: "R7 of feed asks: Publish it?", runId: 7, now: at(0) });
  expect(await told(db, 1)).toEqual(["me: R7 of feed asks: Publish it?. jr answer R7"]);
  await resolveAlert(db, { key: question, now: at(2) });
  expect(await told(db, 3)).toEqual([]);
});

test.each([
  ["worker:box:lost", null, "jr status"],
  ["approvals:chain", null, "jr status"],
  ["job:feed:missed", null, "jr job feed"],
  ["job:feed:missed", 9, "jr show R9"],
  ["job:feed:failed", 9, "jr show R9"],
  ["run:R9:question", 9, "jr answer R9"],
])("an alert of %s with run %s points to %s", async (about, run, command) => {
  await using store = await testStore();
  await raiseAlert(store.db, { key: about, message: "Look.", runId: run ?? undefined, now: at(0) });
  expect(await told(store.db, 1)).toEqual([`me: Look. ${command}`]);
});

test("what a person has dealt with is told no more", async () => {
  await using store = await testStore();
  const { db } = store;
  await fail(db, 0);
  await raiseAlert(db, { key: "job:feed:missed", message: "missed", now: at(0) });
  await raiseAlert(db, { key: "job:feeds:failed", message: "another job", now: at(0) });
  await dismissAlerts(db, { job: "feed" });
  expect(await told(db, 1)).toEqual(["me: another job. jr job feeds"]);
  expect((await openAlerts(db)).map((alert) => alert.key)).toEqual(["job:feeds:failed"]);
});

test("a line is one line: foreign text is cleaned first, then shortened; the beginning is told where it differs", async () => {
  await using store = await testStore();
  const { db } = store;
  const secret = "hunter2hunter2";
  await fail(db, 0, `the first word was ${secret}`);
  await fail(db, 0, `${"x".repeat(230)}${secret}\nsecond line ${"y".repeat(400)}`);
  const [line = ""] = await told(db, 1, { clean: (text) => text.replaceAll(secret, "jrsecret") });
  expect(line).toMatch(
    /^me: x{230}jrsecret … \(2 times since .*\); it began with: the first word was jrsecret\. jr show R1$/,
  );
  expect(line).not.toContain("\n");
});
