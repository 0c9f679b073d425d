import { describe, expect, test } from "vitest";
import { addAttempt, addJob } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { silentLog } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { AttemptOutcome } from "./attempt-outcome.ts";
import { cancelRun } from "./cancel-run.ts";
import { claim } from "./queue/claim.ts";
import { enqueue } from "./queue/enqueue.ts";
import { requireRun } from "./read.ts";
import { sendNotice } from "./run-notices.ts";
import { waitForRun } from "./wait-for-run.ts";
import { startWorker } from "./worker.ts";

const success: AttemptOutcome = { state: "succeeded", output: "1", error: null };
const cancelled: AttemptOutcome = { state: "cancelled", output: null, error: null };
const order = (job: string) =>
  ({ job, trigger: "host", requestedBy: "test 1", traceId: "t", concurrency: null }) as const;
const never = new AbortController().signal;
const ended = (store: Store, run: Row<"runs">) => waitForRun({ store }, run.id, { waitSeconds: 20, signal: never });

/** An executor that tells when a run starts and ends it when the signal aborts. */
function untilAborted(store: Store) {
  const started = Promise.withResolvers<Row<"runs">>();
  return {
    started: started.promise,
    async execute(run: Row<"runs">, signal: AbortSignal): Promise<AttemptOutcome> {
      await addAttempt(store.db, run, 1);
      started.resolve(run);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return cancelled;
    },
  };
}

describe.each(["pglite", "postgres"] as const)("worker on %s", (kind) => {
  test("everything in the queue is executed once, never more than `max` at a time", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const seen: number[] = [];
    let live = 0;
    let peak = 0;
    const full = Promise.withResolvers<void>();
    const worker = startWorker({
      store,
      log: silentLog,
      max: 3,
      worker: "w1",
      async execute(run) {
        seen.push(run.id);
        peak = Math.max(peak, ++live);
        if (live === 3) full.resolve();
        await full.promise;
        await new Promise((resolve) => setImmediate(resolve));
        live--;
        return success;
      },
    });
    const runs = [];
    for (let i = 0; i < 30; i++) runs.push((await enqueue(store.db, order("a"))).run);
    for (const run of runs) expect((await ended(store, run)).state).toBe("succeeded");
    await worker.drain();
    expect(seen.sort((a, b) => a - b)).toEqual(runs.map((run) => run.id));
    expect(peak).toBe(3);
    expect(worker.stats().running).toBe(0);
  });

  test("a delayed run starts when it is due, and not before", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const worker = startWorker({ store, log: silentLog, max: 1, worker: "w1", execute: async () => success });
    const runAt = new Date(Date.now() + 300);
    const { run } = await enqueue(store.db, { ...order("a"), runAt });
    const done = await ended(store, run);
    await worker.drain();
    expect(done.started_at?.getTime()).toBeGreaterThanOrEqual(runAt.getTime());
  });

  test("a cancel reaches a running run at once", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const { execute, started } = untilAborted(store);
    const worker = startWorker({ store, log: silentLog, max: 1, worker: "w1", execute });
    await enqueue(store.db, order("a"));
    const run = await started;
    await cancelRun(store.db, { runId: run.id, by: "person" });
    expect((await ended(store, run)).state).toBe("cancelled");
    await worker.drain();
  });

  test("a notification alone stops a run, so that a cancel from elsewhere waits for no heartbeat", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const { execute, started } = untilAborted(store);
    const worker = startWorker({ store, log: silentLog, max: 1, worker: "w1", execute });
    await enqueue(store.db, order("a"));
    const { id } = await started;
    // Nothing in the row asks for it, so no heartbeat can tell. Sent again, since the worker may not listen yet.
    const state = async () => {
      await sendNotice(store.db, { kind: "cancel", runId: id });
      return (await requireRun(store.db, id)).state;
    };
    await expect.poll(state, { timeout: 20_000 }).toBe("cancelled");
    await worker.drain();
  });

  test("a drain puts what still runs back, and the next worker takes it up", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const { execute, started } = untilAborted(store);
    const first = startWorker({ store, log: silentLog, max: 1, worker: "w1", execute });
    await enqueue(store.db, order("a"));
    const run = await started;
    await first.drain({ graceMs: 0 });
    expect(await requireRun(store.db, run.id)).toMatchObject({ state: "queued", attempt: 1, lease_owner: null });
    const second = startWorker({ store, log: silentLog, max: 1, worker: "w2", execute: async () => success });
    expect(await ended(store, run)).toMatchObject({ state: "succeeded", attempt: 1 });
    await second.drain();
  });

  test("an executor that throws loses no run, and is no dead worker", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const worker = startWorker({
      store,
      log: silentLog,
      max: 1,
      worker: "w1",
      execute: (run) =>
        run.lease === 1 && run.id % 2 === 1 ? Promise.reject(new Error("broken")) : Promise.resolve(success),
    });
    const bad = (await enqueue(store.db, order("a"))).run;
    const good = (await enqueue(store.db, order("a"))).run;
    expect(await ended(store, bad)).toMatchObject({ state: "succeeded", attempt: 1, lease: 2 });
    expect((await ended(store, good)).state).toBe("succeeded");
    await worker.drain();
  });
});

test("after a kill the only daemon of an embedded store takes its runs up at once", async () => {
  await using store = await testStore("pglite");
  await addJob(store.db, "a");
  const { run } = await enqueue(store.db, order("a"));
  await claim(store.db, { worker: "killed", limit: 1 });
  const worker = startWorker({ store, log: silentLog, max: 1, worker: "w2", execute: async () => success });
  expect(await ended(store, run)).toMatchObject({ state: "succeeded", attempt: 1 });
  await worker.drain();
});

test("a database that goes away and comes back loses no result", async () => {
  await using store = await testStore("pglite");
  await addJob(store.db, "a");
  let down = false;
  const failing: Store = {
    ...store,
    db: store.db.withPlugin({
      transformQuery({ node }) {
        if (down) throw new Error("connection refused");
        return node;
      },
      transformResult: async ({ result }) => result,
    }),
  };
  const running = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<AttemptOutcome>();
  const worker = startWorker({
    store: failing,
    log: silentLog,
    max: 2,
    worker: "w1",
    execute: () => {
      running.resolve();
      return finish.promise;
    },
  });
  const { run } = await enqueue(store.db, order("a"));
  await running.promise;
  down = true;
  finish.resolve(success);
  worker.nudge();
  while (worker.stats().connected) await new Promise((resolve) => setImmediate(resolve));
  down = false;
  expect((await ended(store, run)).state).toBe("succeeded");
  await worker.drain();
});
