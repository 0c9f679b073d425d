import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { addAttempt, addJob } from "../../../tests/support/runs.ts";
import { storeKinds, testStore } from "../../../tests/support/store.ts";
import type { Manifest } from "../../jobs/manifest.ts";
import type { Db } from "../../store/open-store.ts";
import { openAlerts } from "../alerts.ts";
import type { AttemptOutcome } from "../attempt-outcome.ts";
import { cancelRun } from "../cancel-run.ts";
import { claim, lockClaims } from "./claim.ts";
import { enqueue, type NewRun } from "./enqueue.ts";
import { heartbeat } from "./heartbeat.ts";
import { reap } from "./reap.ts";
import { settle } from "./settle.ts";

const retry: Manifest["retry"] = { attempts: 3, backoff: "exponential", delayMs: 1_000, maxDelayMs: 60_000 };
const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms);
const failure = (cls: "transient" | "permanent" | "policy" = "transient"): AttemptOutcome => ({
  state: "failed",
  output: null,
  error: { reason: "threw", class: cls, message: "no" },
});
const success: AttemptOutcome = { state: "succeeded", output: "1", error: null };

const order = (job: string, more: Partial<NewRun> = {}): NewRun => ({
  job,
  trigger: "host",
  requestedBy: "test 1",
  traceId: "t",
  now: at(0),
  ...more,
});
const ids = (runs: readonly { id: number }[]) => runs.map((run) => run.id);

async function claimOne(db: Db, now: Date, worker = "w1") {
  const { runs } = await claim(db, { worker, limit: 1, now });
  const run = runs[0];
  if (run === undefined) throw new Error("nothing to claim");
  return run;
}

describe.each(["pglite", "postgres"] as const)("queue on %s", (kind) => {
  test("a dedupe key or slot makes one run", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await addJob(db, "b");
    const first = await enqueue(db, order("a", { dedupeKey: "k" }));
    const again = await Promise.all([1, 2, 3].map(() => enqueue(db, order("a", { dedupeKey: "k" }))));
    expect([first, ...again].map(({ run, created }) => [run.id, created])).toEqual([
      [first.run.id, true],
      ...again.map(() => [first.run.id, false]),
    ]);
    expect((await enqueue(db, order("b", { dedupeKey: "k" }))).created).toBe(true);
    const slot = { scheduleKey: "s", slot: at(5) };
    const runs = await Promise.all([1, 2, 3].map(() => enqueue(db, order("a", slot))));
    expect(runs.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(runs.map(({ run }) => run.id)).size).toBe(1);
  });

  test("claims go by priority, then time, and only when due", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    for (const job of ["a", "b", "c", "d"]) await addJob(db, job);
    const low = await enqueue(db, order("a"));
    const high = await enqueue(db, order("b", { priority: 5 }));
    const later = await enqueue(db, order("c", { runAt: at(2_500) }));
    // A worker whose places are all taken by this may have one free again when the next run falls due.
    const first = await claim(db, { worker: "w", limit: 2, now: at(10) });
    expect(ids(first.runs)).toEqual([high.run.id, low.run.id]);
    expect(first.runs[0]).toMatchObject({ state: "running", attempt: 1, lease_owner: "w", started_at: at(10) });
    expect(first.nextDueMs).toBe(2_490);
    expect(ids((await claim(db, { worker: "w", limit: 10, now: at(2_500) })).runs)).toEqual([later.run.id]);
    expect(await claim(db, { worker: "w", limit: 10, now: at(2_500) })).toEqual({
      runs: [],
      nextDueMs: null,
      waits: false,
    });
  });

  test("a job runs once at a time unless its runs allow more; paused jobs wait", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "serial");
    await addJob(db, "three");
    await addJob(db, "free");
    await addJob(db, "paused", { state: "paused" });
    for (let i = 0; i < 5; i++) {
      await enqueue(db, order("serial"));
      await enqueue(db, order("three", { concurrency: 3 }));
      await enqueue(db, order("free", { concurrency: null }));
      await enqueue(db, order("paused"));
    }
    const count = (runs: readonly { job: string }[]) => Object.groupBy(runs, (run) => run.job);
    const first = (await claim(db, { worker: "w", limit: 100, now: at(1) })).runs;
    expect(count(first).serial).toHaveLength(1);
    expect(count(first).three).toHaveLength(3);
    expect(count(first).free).toHaveLength(5);
    expect(count(first).paused).toBeUndefined();
    const ended = first.find((run) => run.job === "serial");
    await settle(db, { runId: ended?.id ?? 0, attempt: 1, lease: 1, outcome: success, retry: null, now: at(2) });
    const second = (await claim(db, { worker: "w", limit: 100, now: at(3) })).runs;
    expect(second.map((run) => run.job)).toEqual(["serial"]);
  });

  test("many claimers at once never exceed a limit nor claim a run twice", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const jobs = ["j1", "j2", "j3"];
    for (const job of jobs) await addJob(db, job);
    for (let i = 0; i < 60; i++)
      await enqueue(db, order(jobs[i % 3] ?? "", { concurrency: (i % 3) + 1, dedupeKey: `${i}` }));
    const live = new Map<string, number>();
    const seen: number[] = [];
    let peak = 0;
    const claimer = async (worker: string) => {
      for (let idle = 0; idle < 3; ) {
        const { runs } = await claim(db, { worker, limit: 2, now: at(1) });
        idle = runs.length === 0 ? idle + 1 : 0;
        for (const run of runs) {
          seen.push(run.id);
          live.set(run.job, (live.get(run.job) ?? 0) + 1);
          for (const [i, job] of jobs.entries()) peak = Math.max(peak, (live.get(job) ?? 0) - (i + 1));
        }
        for (const run of runs) {
          // Counted down before the settle, so that whoever claims next cannot be counted too early.
          live.set(run.job, (live.get(run.job) ?? 0) - 1);
          await settle(db, {
            runId: run.id,
            attempt: run.attempt,
            lease: run.lease,
            outcome: success,
            retry: null,
            now: at(1),
          });
        }
      }
    };
    await Promise.all(["w1", "w2", "w3", "w4"].map(claimer));
    const left = await claim(db, { worker: "last", limit: 100, now: at(1) });
    expect(peak).toBe(0);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length + left.runs.length).toBeLessThanOrEqual(60);
    expect(seen.length).toBeGreaterThan(50);
  });

  test("an attempt that lost its lease settles nothing", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a", { retry });
    await enqueue(db, order("a"));
    const stale = await claimOne(db, at(0));
    await addAttempt(db, stale, 1);
    const reaped = await reap(db, { now: at(6_001) });
    expect(reaped).toMatchObject([{ id: stale.id, state: "queued", run_at: at(6_001) }]);
    const fresh = await claimOne(db, at(8_000), "w2");
    expect(fresh).toMatchObject({ id: stale.id, attempt: 1, lease: 2 });
    const settleAs = (lease: number) =>
      settle(db, { runId: stale.id, attempt: 1, lease, outcome: success, retry, now: at(9_000) });
    expect(await settleAs(1)).toBeUndefined();
    const beat = { leases: [{ runId: stale.id, lease: 1 }], now: at(9_000) };
    expect((await heartbeat(db, { worker: "w1", ...beat })).lost).toHaveLength(1);
    expect(await settleAs(2)).toMatchObject({
      state: "succeeded",
      output: "1",
      finished_at: at(9_000),
      lease_owner: null,
    });
    expect(await settleAs(2)).toBeUndefined();
  });

  test("failures are retried as the policy says, and the last one raises one alert per job", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a", { retry });
    await enqueue(db, order("a"));
    let now = 0;
    const states: [string, number][] = [];
    for (let attempt = 1; attempt <= 3; attempt++) {
      const run = await claimOne(db, at(now));
      await addAttempt(db, run, 1);
      const settled = await settle(db, {
        runId: run.id,
        attempt,
        lease: attempt,
        outcome: failure(),
        retry,
        now: at(now),
        random: () => 0,
      });
      states.push([settled?.state ?? "", (settled?.run_at.getTime() ?? 0) - at(now).getTime()]);
      now += 10_000;
    }
    expect(states.slice(0, 2)).toEqual([
      ["queued", 1_000],
      ["queued", 2_000],
    ]);
    expect(states[2]?.[0]).toBe("failed");
    expect(await openAlerts(db)).toMatchObject([{ key: "job:a:failed", count: 1, message: "R1 of a failed: no" }]);

    for (const [cls, i] of [
      ["permanent", 2],
      ["policy", 3],
    ] as const) {
      await enqueue(db, order("a"));
      const run = await claimOne(db, at(now));
      const settled = await settle(db, {
        runId: run.id,
        attempt: 1,
        lease: 1,
        outcome: failure(cls),
        retry,
        now: at(now),
      });
      expect(settled?.state).toBe("failed");
      expect(await openAlerts(db)).toMatchObject([{ count: i }]);
    }
    await enqueue(db, order("a"));
    const good = await claimOne(db, at(now));
    await settle(db, { runId: good.id, attempt: 1, lease: 1, outcome: success, retry, now: at(now) });
    expect(await openAlerts(db)).toEqual([]);
  });

  test("a run that was put back goes on with its attempt and loses no try", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await enqueue(db, order("a"));
    const two = { ...retry, attempts: 2 };
    const error = { reason: "shutdown", class: "transient", message: "stop" } as const;
    for (let lease = 1; lease <= 4; lease++) {
      const run = await claimOne(db, at(0));
      if (lease === 1) await addAttempt(db, run, 1);
      const back = await settle(db, {
        runId: run.id,
        attempt: 1,
        lease,
        outcome: { state: "put_back", error },
        retry: two,
        now: at(0),
      });
      expect(back).toMatchObject({ state: "queued", run_at: at(0), lease_owner: null });
    }
    const outcomes: string[] = [];
    for (const now of [at(0), at(10_000)]) {
      const run = await claimOne(db, now);
      if (run.attempt > 1) await addAttempt(db, run, 1);
      const { id: runId, attempt, lease } = run;
      const settled = await settle(db, { runId, attempt, lease, outcome: failure(), retry: two, now });
      outcomes.push(settled?.state ?? "");
    }
    expect(outcomes).toEqual(["queued", "failed"]);
    expect(await openAlerts(db)).toHaveLength(1);
  });

  test("a queued run is cancelled at once, a running one through its worker, and neither is retried", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    const notices: string[] = [];
    const got = Promise.withResolvers<void>();
    const unlisten = await store.listen("runs", (payload) => {
      notices.push(payload);
      if (payload.startsWith("cancel")) got.resolve();
    });
    const first = (await enqueue(db, order("a"))).run;
    const second = (await enqueue(db, order("a"))).run;
    await claimOne(db, at(0));
    expect(await cancelRun(db, { runId: second.id, by: "person", now: at(5) })).toMatchObject({ state: "cancelled" });
    expect(await cancelRun(db, { runId: first.id, by: "person", now: at(5) })).toMatchObject({
      state: "running",
      cancel_requested_by: "person",
    });
    await got.promise;
    expect(notices).toContain(`cancel ${first.id}`);
    const lease = { runId: first.id, lease: 1 };
    expect((await heartbeat(db, { worker: "w1", leases: [lease], now: at(6) })).cancelled).toEqual([lease]);
    const settled = await settle(db, { ...lease, attempt: 1, outcome: failure(), retry, now: at(7) });
    expect(settled?.state).toBe("failed");
    expect(await cancelRun(db, { runId: first.id, by: "person", now: at(8) })).toBeUndefined();
    await unlisten();
  });

  test("an attempt that its worker lost goes on at once, then later each time, and is given up after five", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await enqueue(db, order("a"));
    const error = { reason: "crashed", class: "transient", message: "gone" } as const;
    const steps: (readonly [string, number])[] = [];
    for (let lease = 1, now = 0; lease <= 5; lease++) {
      const run = await claimOne(db, at(now));
      expect(run).toMatchObject({ attempt: 1, lease });
      if (lease === 1) await addAttempt(db, run, 1);
      const outcome = { state: "lost", error } as const;
      const settled = await settle(db, { runId: run.id, attempt: 1, lease, outcome, retry, now: at(now) });
      steps.push([settled?.state ?? "", (settled?.run_at.getTime() ?? 0) - at(now).getTime()]);
      now = (settled?.run_at.getTime() ?? 0) - at(0).getTime();
    }
    expect(steps.slice(0, 4)).toEqual([
      ["queued", 0],
      ["queued", 1_000],
      ["queued", 5_000],
      ["queued", 25_000],
    ]);
    // The fifth counts as a crash of the attempt, which the job's own policy retries.
    expect(await claimOne(db, at(200_000))).toMatchObject({ attempt: 2 });
  });

  test("a suspended run keeps its place, wakes at its time, and an awaited run wakes its parent", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await addJob(db, "b");
    await enqueue(db, order("a"));
    await enqueue(db, order("a"));
    const run = await claimOne(db, at(0));
    await addAttempt(db, run, 1);
    const suspend = (lease: number, wakeAt: Date | null, now: Date) =>
      settle(db, {
        runId: run.id,
        attempt: 1,
        lease,
        outcome: { state: "suspended", wakeAt, activeMs: 40 },
        retry: null,
        now,
      });
    expect(await suspend(1, at(60_000), at(1))).toMatchObject({ state: "suspended", run_at: at(60_000) });
    expect(ids((await claim(db, { worker: "w", limit: 9, now: at(59_000) })).runs)).toEqual([]);
    expect(await claimOne(db, at(60_000))).toMatchObject({ id: run.id, attempt: 1, lease: 2 });

    await suspend(2, null, at(60_001));
    expect(ids((await claim(db, { worker: "w", limit: 9, now: at(9e9) })).runs)).toEqual([]);
    await enqueue(db, order("b", { parentRun: run.id, trigger: "job", now: at(70_000) }));
    const child = await claimOne(db, at(70_000));
    await settle(db, { runId: child.id, attempt: 1, lease: 1, outcome: success, retry: null, now: at(80_000) });
    expect(await claimOne(db, at(80_000))).toMatchObject({ id: run.id, lease: 3 });
    expect(await suspend(3, null, at(80_001))).toMatchObject({ run_at: at(80_001) });
    expect(await cancelRun(db, { runId: run.id, by: "person", now: at(80_002) })).toMatchObject({ state: "cancelled" });
  });
});

test.runIf(storeKinds.includes("postgres"))(
  "a claim that waited for another counts from when it was made",
  async () => {
    await using store = await testStore("postgres");
    const { db } = store;
    await addJob(db, "a");
    await enqueue(db, { ...order("a"), now: undefined });
    const held = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const holder = db.transaction().execute(async (trx) => {
      await lockClaims(trx);
      held.resolve();
      await release.promise;
      const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(trx);
      return rows[0]?.at.getTime() ?? Number.NaN;
    });
    await held.promise;
    const claiming = claim(db, { worker: "w1", limit: 1 });
    const look = sql<{ waits: boolean }>`
    select exists (select 1 from pg_locks where locktype = 'advisory' and not granted) as waits`;
    await expect.poll(async () => (await look.execute(db)).rows[0]?.waits, { timeout: 20_000 }).toBe(true);
    release.resolve();
    const before = await holder;
    const [run] = (await claiming).runs;
    expect(run?.heartbeat_at?.getTime()).toBeGreaterThanOrEqual(before);
    expect(run?.started_at?.getTime()).toBeGreaterThanOrEqual(before);
  },
);
