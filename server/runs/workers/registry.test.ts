import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { addJob } from "../../../tests/support/runs.ts";
import { testStore } from "../../../tests/support/store.ts";
import { addWorker, atWork, silence, testWorker } from "../../../tests/support/workers.ts";
import { silentLog } from "../../log.ts";
import type { Store } from "../../store/open-store.ts";
import { openAlerts } from "../alerts.ts";
import { enqueue } from "../queue/enqueue.ts";
import { beat, register } from "./beat.ts";
import { findRuntime } from "./find-runtime.ts";
import { createOverseer } from "./overseer.ts";
import { keepPresence } from "./presence.ts";
import { hasOtherWorkers, listWorkers, workerStanding } from "./read-workers.ts";
import { forgetOldWorkers, removeWorker } from "./remove-worker.ts";
import { workersChannel } from "./worker-self.ts";

const standings = async (store: Store) =>
  Object.fromEntries((await listWorkers(store)).map((worker) => [worker.name, workerStanding(worker)]));
const alerts = async ({ db }: Store) => (await openAlerts(db)).map(({ key, message }) => [key, message]);

test("a machine alone has no others, whatever it was before; another on record counts until it is removed", async () => {
  await using store = await testStore("pglite");
  const { db } = store;
  const self = testWorker("me:2", { host: "me", home: "/h" });
  await addWorker(db, testWorker("me:1", { host: "me", home: "/h" }), { state: "gone" });
  expect(await hasOtherWorkers(db, self)).toBe(false);
  await addWorker(db, testWorker("other"), { state: "gone" });
  expect(await hasOtherWorkers(db, self)).toBe(true);
  await expect(removeWorker(db, "nobody")).rejects.toMatchObject({ code: "worker_not_found" });
  await removeWorker(db, "other");
  expect(await hasOtherWorkers(db, self)).toBe(false);
});

describe("workers on PostgreSQL", () => {
  test("silence is judged by the database's clock: silent, then lost with one alert, and back with its next heartbeat", async () => {
    await using store = await testStore("postgres");
    const { db } = store;
    await addWorker(db, testWorker("a"));
    await addWorker(db, testWorker("b"), { running: 3 });
    const overseers = [1, 2].map(() => createOverseer({ store, log: silentLog, clock: () => 0 }));
    const look = () => Promise.all(overseers.map((each) => each.look({ steady: true })));
    await silence(db, "b", 1_000);
    expect(await standings(store)).toEqual({ a: "active", b: "active" });
    await silence(db, "b", 6_000);
    await look();
    expect(await standings(store)).toEqual({ a: "active", b: "silent" });
    await expect(removeWorker(db, "b")).rejects.toMatchObject({ code: "invalid_argument" });
    await silence(db, "b", 9_000);
    await Promise.all(overseers.map((each) => each.look({ steady: false })));
    expect(await standings(store)).toEqual({ a: "active", b: "silent" });
    await look();
    await look();
    expect(await standings(store)).toEqual({ a: "active", b: "lost" });
    expect(await openAlerts(db)).toMatchObject([
      { key: "worker:b:lost", count: 1, message: expect.stringMatching(/^worker on b \(pid \d+, \/home\/b\) stopped/) },
    ]);
    await beat(db, testWorker("b"), atWork());
    expect(await standings(store)).toEqual({ a: "active", b: "active" });
    expect(await alerts(store)).toEqual([]);
  });

  test("a successor in the same home takes the place of the one that was lost", async () => {
    await using store = await testStore("postgres");
    const { db } = store;
    await addWorker(db, testWorker("b"), { silentMs: 16_000 });
    await createOverseer({ store, log: silentLog, clock: () => 0 }).look({ steady: true });
    expect(await alerts(store)).toHaveLength(1);
    await register(db, testWorker("b:2", { host: "b", home: "/home/b" }), atWork(), false);
    expect(await standings(store)).toEqual({ "b:2": "active" });
    expect(await alerts(store)).toEqual([]);
  });

  test("those that are gone are forgotten: after a day in order, after a week where they were lost", async () => {
    await using store = await testStore("postgres");
    const { db } = store;
    await addWorker(db, testWorker("lives"));
    await addWorker(db, testWorker("ended"), { state: "gone", silentMs: 23 * 3_600_000 });
    await addWorker(db, testWorker("lost"), { silentMs: 25 * 3_600_000 });
    await createOverseer({ store, log: silentLog, clock: () => 0 }).look({ steady: true });
    expect(await forgetOldWorkers(db)).toBe(0);
    await silence(db, "ended", 2 * 3_600_000);
    expect(await forgetOldWorkers(db)).toBe(1);
    expect(await standings(store)).toEqual({ lives: "active", lost: "lost" });
    await silence(db, "lost", 6 * 24 * 3_600_000);
    expect(await forgetOldWorkers(db)).toBe(1);
    expect(await alerts(store)).toEqual([]);
  });

  test("a due run that nobody serves is told of after a minute, once, and no more once somebody can", async () => {
    await using store = await testStore("postgres");
    const { db } = store;
    await addJob(db, "gpu");
    await addJob(db, "plain");
    for (const job of ["gpu", "plain"]) await enqueue(db, { job, trigger: "host", requestedBy: "test", traceId: "t" });
    const unserved = { gpu: [{ kind: "label", name: "gpu" }] };
    await addWorker(db, testWorker("a"), { unserved });
    let now = 0;
    const overseers = [1, 2].map(() => createOverseer({ store, log: silentLog, clock: () => now }));
    const look = () => Promise.all(overseers.map((each) => each.look({ steady: true })));
    await look();
    now = 59_000;
    await look();
    expect(await alerts(store)).toEqual([]);
    now = 61_000;
    await look();
    await look();
    expect(await openAlerts(db)).toMatchObject([
      { key: "job:gpu:unserved", count: 1, run_id: 1, message: "R1 of gpu waits: no worker has label gpu" },
    ]);
    await addWorker(db, testWorker("b"));
    await look();
    expect(await alerts(store)).toEqual([]);
  });

  test("a journal goes on where its versions are, on a worker that lives and serves the job", async () => {
    await using store = await testStore("postgres");
    const { db } = store;
    const { v8, icu = "" } = process.versions;
    const wanted = { job: "a", guestRuntime: "guest-a", v8, icu };
    const find = (more = {}) => findRuntime(store, { name: "me" }, { ...wanted, ...more });
    await addWorker(db, testWorker("me"));
    expect(await find()).toBeUndefined();
    await addWorker(db, testWorker("newer", { guestRuntimes: ["guest-b"] }));
    await addWorker(db, testWorker("draining"), { state: "draining" });
    await addWorker(db, testWorker("silent"), { silentMs: 7_000 });
    await addWorker(db, testWorker("idle"), { problem: "it trusts no key." });
    await addWorker(db, testWorker("lacking"), { unserved: { a: [{ kind: "label", name: "gpu" }] } });
    expect(await find()).toBeUndefined();
    // It begins no attempt of the job any more, but goes on with those that have begun.
    await addWorker(db, testWorker("older"), { unserved: { a: [{ kind: "runtime", name: "guest-b" }] } });
    expect(await find()).toBe("older");
    expect(await find({ v8: "0.0" })).toBeUndefined();
    expect(await find({ icu: "0.0" })).toBeUndefined();
  });

  test("a worker that is on record hears of a newer program, even where its own statements fail", async () => {
    await using store = await testStore("postgres");
    const heard = Promise.withResolvers<string>();
    await using _presence = await keepPresence({
      store,
      self: testWorker("a"),
      now: () => ({ running: 0, problem: null, unserved: {} }),
      onNewer: heard.resolve,
      log: silentLog,
    });
    await sql`alter table workers rename column state to condition`.execute(store.db);
    await sql`insert into kysely_migration (name, timestamp) values ('9999-future', '2030-01-01')`.execute(store.db);
    expect(await heard.promise).toBe("9999-future");
    await sql`alter table workers rename column condition to state`.execute(store.db);
  });

  test("a worker that stops says so, and the others hear of it at once: draining, then ended", async () => {
    await using store = await testStore("postgres");
    const now = () => ({ running: 0, problem: null, unserved: {} });
    const deps = { store, self: testWorker("a"), now, onNewer: () => {}, log: silentLog };
    const presence = await keepPresence(deps);
    const heard: unknown[] = [];
    await using stack = new AsyncDisposableStack();
    stack.defer(await store.listen(workersChannel, async () => void heard.push(await standings(store))));
    presence.draining();
    await expect.poll(() => heard, { timeout: 30_000 }).toEqual([{ a: "draining" }]);
    await presence[Symbol.asyncDispose]();
    expect(await standings(store)).toEqual({ a: "ended" });
    await expect.poll(() => heard, { timeout: 30_000 }).toEqual([{ a: "draining" }, { a: "ended" }]);
  });
});
