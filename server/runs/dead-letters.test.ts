import { describe, expect, test } from "vitest";
import { addAttempt, addJob } from "../../tests/support/runs.ts";
import { storeKinds, testStore } from "../../tests/support/store.ts";
import { retireJob } from "../jobs/control.ts";
import type { Db } from "../store/open-store.ts";
import { openAlerts } from "./alerts.ts";
import type { AttemptOutcome } from "./attempt-outcome.ts";
import { cancelRun } from "./cancel-run.ts";
import { countDeadLetters, dismissRuns, findDeadRuns, listDeadLetters } from "./dead-letters.ts";
import { claim } from "./queue/claim.ts";
import { enqueue, type NewRun } from "./queue/enqueue.ts";
import { type Settlement, settle } from "./queue/settle.ts";
import { settleDecided } from "./queue/settle-decided.ts";
import { requireRun } from "./read.ts";
import { enforceRetention } from "./retention.ts";
import type { RunError } from "./run-error.ts";

const at = (hours: number) => new Date(Date.UTC(2026, 0, 5) + hours * 3_600_000);
const success: AttemptOutcome = { state: "succeeded", output: null, error: null };
const error = (reason: RunError["reason"], message = "no"): RunError => ({ reason, class: "transient", message });
const failure = (reason: RunError["reason"] = "threw", message = "no"): AttemptOutcome => ({
  state: "failed",
  output: null,
  error: error(reason, message),
});

/** A run that ends like that; its number. */
async function ended(db: Db, job: string, outcome: Settlement, more: Partial<NewRun> = {}): Promise<number> {
  const now = more.now ?? at(0);
  await enqueue(db, { job, trigger: "host", requestedBy: "test 1", traceId: "t", concurrency: null, ...more, now });
  const [run] = (await claim(db, { worker: "w", limit: 1, now })).runs;
  if (run === undefined) throw new Error("nothing to claim");
  await addAttempt(db, run, 1);
  const { id: runId, attempt, lease } = run;
  await settle(db, { runId, attempt, lease, outcome, retry: null, now });
  return run.id;
}

const dead = async (db: Db) => await findDeadRuns(db, {}, 100);
const slotAt = (hour: number, scheduleKey = "main"): Partial<NewRun> => ({
  trigger: "schedule",
  scheduleKey,
  slot: at(hour),
  now: at(hour),
});
const by = { by: "person", traceId: "t" } as const;

describe.each(storeKinds)("dead letters on %s", (kind) => {
  test.each<[string, Settlement, boolean]>([
    ["succeeded", success, false],
    ["failed", failure(), true],
    ["timed_out", { state: "timed_out", output: null, error: { ...error("timeout"), class: "timeout" } }, true],
    ["out_of_memory", { state: "out_of_memory", output: null, error: { ...error("memory"), class: "memory" } }, true],
    ["crashed", { state: "crashed", output: null, error: error("crashed") }, true],
    ["denied", { state: "denied", output: null, error: { ...error("not_approved"), class: "policy" } }, true],
    ["cancelled", { state: "cancelled", output: null, error: error("cancelled") }, false],
    ["put_back", { state: "put_back", error: error("shutdown") }, false],
    ["needs_decision", { state: "needs_decision", error: error("uncertain") }, false],
    ["suspended", { state: "suspended", wakeAt: null, activeMs: 1 }, false],
  ])("a run that ends as %s", async (_, outcome, isDead) => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const run = await ended(store.db, "a", outcome);
    expect(await dead(store.db)).toEqual(isDead ? [run] : []);
    expect(await countDeadLetters(store.db)).toBe(isDead ? 1 : 0);
  });

  test("a run that will be tried again is none yet", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await enqueue(db, { job: "a", trigger: "host", requestedBy: "x", traceId: "t", now: at(0) });
    for (const attempt of [1, 2]) {
      const [run] = (await claim(db, { worker: "w", limit: 1, now: at(attempt) })).runs;
      if (run === undefined) throw new Error("nothing to claim");
      const retry = { attempts: 2, backoff: "fixed", delayMs: 1_000, maxDelayMs: 1_000 } as const;
      const { id: runId, lease } = run;
      await settle(db, { runId, attempt, lease, outcome: failure(), retry, now: at(attempt) });
      expect(await countDeadLetters(db), `attempt ${attempt}`).toBe(attempt - 1);
    }
  });

  test("a later slot of the same schedule that succeeds stands for the failed ones before it, and for nothing else", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    for (const job of ["a", "b"]) await addJob(db, job);
    await ended(db, "a", failure(), slotAt(1));
    await ended(db, "a", failure(), slotAt(2));
    const otherSchedule = await ended(db, "a", failure(), slotAt(1, "nightly"));
    const otherJob = await ended(db, "b", failure(), slotAt(1));
    const byHand = await ended(db, "a", failure(), { now: at(2) });
    const later = await ended(db, "a", failure(), slotAt(4));
    expect(await countDeadLetters(db)).toBe(6);
    await ended(db, "a", success, { ...slotAt(3), now: at(5) });
    expect(await dead(db)).toEqual([otherSchedule, otherJob, byHand, later]);
    await ended(db, "a", success, { now: at(6) });
    expect(await dead(db)).toEqual([otherSchedule, otherJob, byHand, later]);
  });

  test("what failed alike stands in one line with the latest run, and is found by job, reason and time", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    for (const job of ["a", "b"]) await addJob(db, job);
    const first = await ended(db, "a", failure("fetch_failed", "old"), { now: at(1) });
    const second = await ended(db, "a", failure("fetch_failed", 'odd \u0000 "reason":"threw"'), { now: at(2) });
    await ended(db, "a", failure("threw"), { now: at(3) });
    await ended(db, "b", failure("threw"), { now: at(4) });
    await ended(db, "b", { state: "failed", output: null, error: null }, { now: at(5) });
    const groups = await listDeadLetters(db, { limit: 10 });
    expect(groups.map(({ job, reason, count }) => [job, reason, count])).toEqual([
      ["b", "unknown", 1],
      ["b", "threw", 1],
      ["a", "threw", 1],
      ["a", "fetch_failed", 2],
    ]);
    expect(groups[3]).toEqual({
      job: "a",
      reason: "fetch_failed",
      class: "transient",
      count: 2,
      first_at: at(1),
      last_at: at(2),
      run: `R${second}`,
      message: 'odd \u0000 "reason":"threw"',
    });
    expect(await listDeadLetters(db, { limit: 1 })).toHaveLength(1);
    expect(await findDeadRuns(db, { job: "a", reason: "fetch_failed" }, 10)).toEqual([first, second]);
    expect(await findDeadRuns(db, { job: "a", reason: "fetch_failed", since: at(2) }, 10)).toEqual([second]);
    expect(await findDeadRuns(db, { job: "a" }, 1)).toEqual([first]);
  });

  test("dismissing takes runs off the list, all or none, and closes the job's alert with the last of them", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    const first = await ended(db, "a", failure());
    const second = await ended(db, "a", failure());
    const good = await ended(db, "a", success, { now: at(1) });
    const third = await ended(db, "a", failure(), { now: at(2) });
    for (const [runs, code] of [
      [[first, good], "run_not_dead"],
      [[first, 999], "run_not_found"],
    ] as const) {
      await expect(dismissRuns(db, { runs, ...by })).rejects.toMatchObject({ code });
    }
    expect(await dead(db)).toEqual([first, second, third]);
    await dismissRuns(db, { runs: [`R${first}`, second], ...by });
    expect(await dead(db)).toEqual([third]);
    expect(await openAlerts(db)).toHaveLength(1);
    await dismissRuns(db, { runs: [third], ...by });
    expect(await openAlerts(db)).toEqual([]);
    await expect(dismissRuns(db, { runs: [third], ...by })).rejects.toMatchObject({ code: "run_not_dead" });
    const events = await db.selectFrom("events").select(["kind", "actor", "subject"]).execute();
    const dismissed = [first, second, third].map((run) => ({
      kind: "run.dismissed",
      actor: "person",
      subject: `run:R${run}`,
    }));
    expect(events).toEqual(dismissed);
  });

  test("an alert that outlived its runs is closed with its job's name", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await ended(db, "a", failure());
    await db.deleteFrom("runs").execute();
    expect(await openAlerts(db)).toHaveLength(1);
    expect(await dismissRuns(db, { runs: [], job: "a", ...by })).toEqual([]);
    expect(await openAlerts(db)).toEqual([]);
  });

  test("retention counts dead letters apart, so that a busy job does not push them out", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    const old = await ended(db, "a", failure(), { now: at(0) });
    const kept = [await ended(db, "a", failure(), { now: at(1) }), await ended(db, "a", failure(), { now: at(2) })];
    for (let hour = 3; hour < 8; hour += 1) await ended(db, "a", success, { now: at(hour) });
    const { runs } = await enforceRetention(db, { days: 30, runsPerJob: 2, now: at(9) });
    expect(runs).toBe(1 + 3);
    expect(await dead(db)).toEqual(kept);
    expect(kept).not.toContain(old);
    await enforceRetention(db, { days: 1, runsPerJob: 2, now: at(24 + 2) });
    expect(await dead(db)).toEqual(kept.slice(1));
  });

  test("a retired job leaves no dead letters and no alerts", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    for (const job of ["a", "b"]) await addJob(db, job);
    await ended(db, "a", failure());
    const other = await ended(db, "b", failure());
    await retireJob(db, { job: "a", by: "person", actor: "person" });
    expect(await dead(db)).toEqual([other]);
    expect((await openAlerts(db)).map(({ key }) => key)).toEqual(["job:b:failed"]);
  });
});

test("a run that a person ends at its decision is one, and can be redriven", async () => {
  await using store = await testStore();
  const { db } = store;
  await addJob(db, "a");
  const id = await ended(db, "a", { state: "needs_decision", error: error("uncertain") });
  await db.transaction().execute(async (trx) => settleDecided(trx, await requireRun(trx, id), "failed"));
  expect(await dead(db)).toEqual([id]);
  expect(await listDeadLetters(db, { limit: 9 })).toMatchObject([{ job: "a", reason: "uncertain", run: `R${id}` }]);
});

test("a run that is no dead letter says what it is instead, and what to do", async () => {
  await using store = await testStore();
  const { db } = store;
  await addJob(db, "a");
  const waits = await ended(db, "a", { state: "needs_decision", error: error("uncertain") });
  const { run: queued } = await enqueue(db, { job: "a", trigger: "host", requestedBy: "x", traceId: "t" });
  const { run: gone } = await enqueue(db, { job: "a", trigger: "host", requestedBy: "x", traceId: "t" });
  await cancelRun(db, { runId: gone.id, by: "person" });
  for (const [run, message, next] of [
    [waits, "it waits for a decision", `jr answer R${waits}`],
    [queued.id, "it is queued", `run_read {"run": "R${queued.id}"`],
    [gone.id, "it is cancelled", 'job_run {"name": "a"}'],
  ] as const) {
    await expect(dismissRuns(db, { runs: [run], ...by })).rejects.toMatchObject({
      code: "run_not_dead",
      message: expect.stringContaining(message),
      next: expect.stringContaining(next),
    });
  }
});
