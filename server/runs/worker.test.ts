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

  test("a run that is next in line is begun in the commit that puts it into the queue, and no other is", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    await addJob(store.db, "b");
    const ends = Promise.withResolvers<void>();
    const attempts: string[] = [];
    const start = { version: 1, seed: "0".repeat(32), startMs: 0, runner: null };
    const worker = startWorker({
      store,
      log: silentLog,
      max: 2,
      worker: "w1",
      async execute(run, _signal, begin) {
        attempts.push(`${run.job}${run.lease}`);
        await (begin?.(start) ?? addAttempt(store.db, run, 1));
        await ends.promise;
        return success;
      },
    });
    const alone = { ...order("a"), concurrency: 1, dedupeKey: "k" };
    const first = await worker.enqueue(alone);
    expect(first).toMatchObject({ created: true, run: { state: "running", lease: 1, attempt: 1, lease_owner: "w1" } });
    expect(await store.db.selectFrom("attempts").select(["run_id", "attempt", "version"]).execute()).toEqual([
      { run_id: first.run.id, attempt: 1, version: 1 },
    ]);
    expect(await worker.enqueue(alone)).toMatchObject({ created: false, run: { id: first.run.id } });
    const second = await worker.enqueue({ ...alone, dedupeKey: undefined });
    expect(second.run.state).toBe("queued");
    // What is due already goes first, though it has to wait itself.
    expect((await worker.enqueue(order("b"))).run.state).toBe("queued");
    ends.resolve();
    expect((await ended(store, second.run)).state).toBe("succeeded");
    await worker.drain();
    expect(attempts.sort()).toEqual(["a1", "a1", "b1"]);
  });

  test("a run that could not begin at once waits in the queue like any other", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    let tries = 0;
    const worker = startWorker({
      store,
      log: silentLog,
      max: 1,
      worker: "w1",
      async execute(run, _signal, begin) {
        tries += 1;
        if (begin !== undefined) throw new Error("the runner did not start");
        await addAttempt(store.db, run, 1);
        return success;
      },
    });
    const { run, created } = await worker.enqueue(order("a"));
    expect([run.state, created]).toEqual(["queued", true]);
    expect(await ended(store, run)).toMatchObject({ state: "succeeded", attempt: 1, lost: 0 });
    await worker.drain();
    expect(tries).toBe(2);
  });

  test("whoever asks does not wait for a runner that is slow to start", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const ready = Promise.withResolvers<void>();
    const worker = startWorker({
      store,
      log: silentLog,
      max: 1,
      worker: "w1",
      async execute(_run, _signal, begin) {
        await ready.promise;
        await begin?.({ version: 1, seed: "0".repeat(32), startMs: 0, runner: null });
        return success;
      },
    });
    const { run } = await worker.enqueue(order("a"));
    expect(run.state).toBe("running");
    ready.resolve();
    const done = await ended(store, run);
    await worker.drain();
    expect(done).toMatchObject({ state: "succeeded", version: 1, lease: 1 });
    expect(await store.db.selectFrom("attempts").select("state").execute()).toEqual([{ state: "succeeded" }]);
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
