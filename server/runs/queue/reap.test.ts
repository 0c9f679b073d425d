import { describe, expect, test } from "vitest";
import { addAttempt, addJob } from "../../../tests/support/runs.ts";
import { testStore } from "../../../tests/support/store.ts";
import { openAlerts } from "../alerts.ts";
import { requireRun } from "../read.ts";
import { claim } from "./claim.ts";
import { enqueue, type NewRun } from "./enqueue.ts";
import { heartbeat } from "./heartbeat.ts";
import { reap } from "./reap.ts";

const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms);
const order = (job: string, more: Partial<NewRun> = {}): NewRun => ({
  job,
  trigger: "host",
  requestedBy: "test 1",
  traceId: "t",
  now: at(0),
  ...more,
});

describe.each(["pglite", "postgres"] as const)("reaping on %s", (kind) => {
  test("lost leases go back to the queue, to go on where they were or to begin", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "once");
    await addJob(db, "never-began");
    for (const job of ["once", "never-began"]) await enqueue(db, order(job));
    const { runs } = await claim(db, { worker: "dead", limit: 2, now: at(0) });
    for (const run of runs) if (run.job === "once") await addAttempt(db, run, 1);
    expect(await reap(db, { now: at(5_999) })).toEqual([]);
    const leases = runs.map((run) => ({ runId: run.id, lease: run.lease }));
    expect(await heartbeat(db, { worker: "dead", leases, now: at(5_999) })).toEqual({ lost: [], cancelled: [] });
    expect(await reap(db, { now: at(11_000) })).toEqual([]);
    const reaped = await reap(db, { now: at(12_100) });
    expect(reaped.map((run) => [run.job, run.state])).toEqual([
      ["once", "queued"],
      ["never-began", "queued"],
    ]);
    expect(await openAlerts(db)).toEqual([]);
    expect(await db.selectFrom("attempts").select(["state", "ended_at"]).execute()).toEqual([
      { state: "suspended", ended_at: null },
    ]);
  });

  test("leases of a dead daemon are reaped at once where the store is ours alone", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await addJob(db, "b");
    await enqueue(db, order("a"));
    const [dead] = (await claim(db, { worker: "home:1", limit: 1, now: at(0) })).runs;
    await enqueue(db, order("b"));
    const [mine] = (await claim(db, { worker: "home:2", limit: 1, now: at(0) })).runs;
    expect((await reap(db, { onlyWorker: "home:2", now: at(1) })).map((run) => run.id)).toEqual([dead?.id]);
    expect((await requireRun(db, mine?.id ?? 0)).state).toBe("running");
  });

  test("a queued run past its start deadline, or of a retired job, ends with its reason", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "late");
    await addJob(db, "gone", { state: "retired" });
    await enqueue(db, order("late", { startBy: at(1_000) }));
    await enqueue(db, order("gone"));
    expect((await reap(db, { now: at(999) })).map((run) => run.job)).toEqual(["gone"]);
    expect((await claim(db, { worker: "w", limit: 9, now: at(1_001) })).runs).toEqual([]);
    const [late] = await reap(db, { now: at(1_001) });
    expect(late).toMatchObject({ state: "cancelled", finished_at: at(1_001) });
    expect(late?.error).toContain("start_deadline");
  });
});
