import { describe, expect, test } from "vitest";
import { addJob, testManifest } from "../../../tests/support/runs.ts";
import { testStore } from "../../../tests/support/store.ts";
import type { Triggers } from "../../jobs/manifest.ts";
import { silentLog } from "../../log.ts";
import type { Db, Store } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { openAlerts } from "../alerts.ts";
import type { AttemptOutcome } from "../attempt-outcome.ts";
import { cancelRun } from "../cancel-run.ts";
import { requestRun } from "../control.ts";
import { claim } from "../queue/claim.ts";
import { enqueue } from "../queue/enqueue.ts";
import { reap } from "../queue/reap.ts";
import { settle } from "../queue/settle.ts";
import { findCircle } from "./find-circle.ts";
import { readRunEvent } from "./run-event.ts";
import { syncAfterTriggers } from "./sync-after.ts";

type After = Triggers["after"];

const after = (...list: After): Triggers => ({ after: list, files: [], webhook: false });
const order = (job: string) =>
  ({ job, trigger: "host", requestedBy: "test 1", traceId: "t", concurrency: null }) as const;
const success: AttemptOutcome = { state: "succeeded", output: '{"rows":7}', error: null };
const failure: AttemptOutcome = {
  state: "failed",
  output: null,
  error: { reason: "threw", class: "permanent", message: "no" },
};

async function follow(db: Db, job: string, list: After, more: { state?: "paused" | "retired" } = {}): Promise<void> {
  await addJob(db, job, { triggers: after(...list), ...more });
  await syncAfterTriggers(db, job, { version: 1, manifest: testManifest({ triggers: after(...list), priority: 5 }) });
}

async function runOnce(db: Db, outcome: AttemptOutcome): Promise<Row<"runs">> {
  const [run] = (await claim(db, { worker: "w", limit: 1 })).runs;
  if (run === undefined) throw new Error("nothing to claim");
  await settle(db, { runId: run.id, attempt: run.attempt, lease: run.lease, outcome, retry: null });
  return run;
}

async function started(db: Db): Promise<Row<"runs">[]> {
  return db.selectFrom("runs").selectAll().where("trigger", "=", "after").orderBy("id").execute();
}

const requestDeps = (store: Store) => ({
  store,
  log: silentLog,
  approvals: { requireManifest: async () => testManifest() },
});

describe.each(["pglite", "postgres"] as const)("jobs that run after others, on %s", (kind) => {
  test("each end starts those that wait for it, once, and tells them of it", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "source");
    for (const on of ["success", "failure", "end"] as const) await follow(db, `on-${on}`, [{ job: "source", on }]);
    const { run: first } = await enqueue(db, order("source"));
    const run = await runOnce(db, success);
    // The lease is gone: a worker that comes late changes nothing.
    expect(await settle(db, { runId: run.id, attempt: 1, lease: 1, outcome: failure, retry: null })).toBeUndefined();
    const afterSuccess = await started(db);
    expect(afterSuccess.map(({ job, priority, parent_run }) => [job, priority, parent_run])).toEqual([
      ["on-end", 5, first.id],
      ["on-success", 5, first.id],
    ]);
    for (const each of afterSuccess) {
      expect(await readRunEvent(db, each)).toEqual({
        kind: "after",
        job: "source",
        run: `R${first.id}`,
        state: "succeeded",
        output: { rows: 7 },
        outputLeftOut: false,
        error: null,
      });
    }
    await db.deleteFrom("runs").where("trigger", "=", "after").execute();
    expect(await db.selectFrom("run_events").selectAll().execute()).toEqual([]);

    await enqueue(db, order("source"));
    await runOnce(db, failure);
    const afterFailure = await started(db);
    expect(afterFailure.map(({ job }) => job)).toEqual(["on-end", "on-failure"]);
    expect(afterFailure[0] && (await readRunEvent(db, afterFailure[0]))).toMatchObject({
      state: "failed",
      output: null,
      error: { reason: "threw", message: "no" },
    });
  });

  test("a run that is cancelled, or misses its deadline, ends too", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "source");
    for (const on of ["success", "failure", "end"] as const) await follow(db, `on-${on}`, [{ job: "source", on }]);
    const { run } = await enqueue(db, order("source"));
    await cancelRun(db, { runId: run.id, by: "person" });
    await enqueue(db, { ...order("source"), startBy: new Date(Date.now() - 60_000) });
    await reap(db);
    await reap(db);
    expect((await started(db)).map(({ job }) => job)).toEqual(["on-end", "on-end"]);
  });

  test("a retry is no end, and what is taken back has started nothing", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "source");
    await follow(db, "follower", [{ job: "source", on: "end" }]);
    const { run } = await enqueue(db, order("source"));
    await claim(db, { worker: "w", limit: 1 });
    const taken = db.transaction().execute(async (trx) => {
      await settle(trx, { runId: run.id, attempt: 1, lease: 1, outcome: success, retry: null });
      expect(await started(trx)).toHaveLength(1);
      throw new Error("taken back");
    });
    await expect(taken).rejects.toThrow("taken back");
    const retry = { attempts: 2, backoff: "fixed", delayMs: 0, maxDelayMs: 0 } as const;
    const transient: AttemptOutcome = { ...failure, error: { reason: "threw", class: "transient", message: "no" } };
    await settle(db, { runId: run.id, attempt: 1, lease: 1, outcome: transient, retry });
    expect(await started(db)).toEqual([]);
    await runOnce(db, success);
    expect(await started(db)).toHaveLength(1);
  });

  test("a paused job is not started, which is recorded; a retired or changed one waits for nothing", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "source");
    await follow(db, "paused", [{ job: "source", on: "end" }], { state: "paused" });
    await follow(db, "retired", [{ job: "source", on: "end" }], { state: "retired" });
    await follow(db, "changed", [{ job: "source", on: "end" }]);
    await syncAfterTriggers(db, "changed", { version: 2, manifest: testManifest() });
    await enqueue(db, order("source"));
    await runOnce(db, success);
    expect(await started(db)).toEqual([]);
    const events = await db.selectFrom("events").selectAll().execute();
    expect(events.map(({ kind, subject, detail }) => [kind, subject, JSON.parse(detail).why])).toEqual([
      ["trigger.skipped", "paused", "the job was paused (agent)"],
    ]);
  });

  test("jobs in a circle start one another once, and the person is told", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await follow(db, "a", [{ job: "c", on: "end" }]);
    await follow(db, "b", [{ job: "a", on: "end" }]);
    await follow(db, "c", [{ job: "b", on: "end" }]);
    await enqueue(db, order("a"));
    for (let i = 0; i < 3; i++) await runOnce(db, success);
    expect((await started(db)).map(({ job }) => job)).toEqual(["b", "c"]);
    expect((await claim(db, { worker: "w", limit: 9 })).runs).toEqual([]);
    expect((await openAlerts(db)).map(({ key }) => key)).toEqual(["job:a:circle"]);
    // The same by way of jobs.start: what an end has started may not start what has ended.
    const parentRun = (await started(db)).at(-1)?.id;
    await expect(
      requestRun(requestDeps(store), { job: "b", trigger: "job", parentRun, requestedBy: "job c", traceId: "t" }),
    ).rejects.toMatchObject({ code: "permission_denied" });
  });
});

test("a circle is found before it is closed, however long", async () => {
  await using store = await testStore();
  const { db } = store;
  for (const [job, source] of [
    ["b", "a"],
    ["c", "b"],
    ["d", "c"],
  ] as const)
    await follow(db, job, [{ job: source, on: "end" }]);
  const find = (job: string, source: string) => findCircle(db, job, after({ job: source, on: "success" }));
  expect(await find("a", "d")).toEqual(["a", "d", "c", "b", "a"]);
  expect(await find("a", "a")).toEqual(["a", "a"]);
  expect(await find("e", "d")).toBeUndefined();
  // Its own rows are those of the version before.
  expect(await find("b", "x")).toBeUndefined();
});

test("keys of triggers cannot be taken by a caller", async () => {
  await using store = await testStore();
  await addJob(store.db, "a");
  const ask = (dedupeKey: string) =>
    requestRun(requestDeps(store), { job: "a", trigger: "host", dedupeKey, requestedBy: "test", traceId: "t" });
  for (const key of ["after:1", "webhook:x", "run:1-1-1"]) {
    await expect(ask(key), key).rejects.toMatchObject({ code: "invalid_argument" });
  }
  expect((await ask("mine:after:1")).created).toBe(true);
});
