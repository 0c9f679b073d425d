import { expect, test } from "vitest";
import { z } from "zod";
import { addAttempt, addJob, testManifest, testServices } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { type AnyEffect, defineEffect, type EffectKind } from "../effects/define-effect.ts";
import { sleep } from "../effects/sleep.ts";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import type { EffectReply } from "../sandbox/types.ts";
import { requireBlob } from "../store/blobs.ts";
import type { Db, Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { type EffectsOptions, performEffects } from "./perform-effects.ts";
import { claim } from "./queue/claim.ts";
import { enqueue } from "./queue/enqueue.ts";
import { readJournal } from "./read-journal.ts";

async function claimedRun({ db }: Store): Promise<Row<"runs">> {
  await addJob(db, "test");
  await enqueue(db, { job: "test", trigger: "person", requestedBy: "person", traceId: "t" });
  const [run] = (await claim(db, { worker: "w", limit: 1 })).runs;
  if (!run) throw new Error("no run");
  await addAttempt(db, run, 1);
  return run;
}

type Serving = Partial<Pick<EffectsOptions, "recheck" | "uncertain">> & { journalBytes?: number };

/** What serves the calls of a claimed run, from its journal as it is now. */
async function serving(store: Store, run: Row<"runs">, effects: readonly AnyEffect[], more: Serving = {}) {
  const manifest = testManifest();
  const { journalBytes = 1_000_000, ...options } = more;
  const performed = performEffects({
    db: store.db,
    effects,
    startMs: 1_000,
    lease: run.lease,
    journal: await readJournal(store.db, run.id, run.attempt),
    uncertain: async () => "skip",
    recheck: async () => {},
    ...options,
    context: {
      job: "test",
      runId: run.id,
      attempt: run.attempt,
      manifest: { ...manifest, limits: { ...manifest.limits, journalBytes } },
      seed: "00",
      traceId: "t",
      secrets: { get: () => undefined, names: () => [] },
      services: testServices(),
      clock: () => new Date(5_000),
      log: silentLog,
    },
  });
  const seen: [number, string][] = [];
  const call = (seq: number, op: string, argsJson = "{}") => {
    const reply = Promise.withResolvers<EffectReply>();
    const served = performed.onEffect({ seq, op, argsJson }, (given) => {
      seen.push([seq, given.json]);
      reply.resolve(given);
    });
    served.catch(reply.reject);
    reply.promise.catch(() => {});
    return { served, reply: reply.promise };
  };
  return { call, performed, seen };
}

async function fresh(store: Store, effects: readonly AnyEffect[], more?: Serving) {
  const run = await claimedRun(store);
  return { run, ...(await serving(store, run, effects, more)) };
}

const journal = (db: Db) =>
  db.selectFrom("journal").select(["seq", "op", "state", "outcome", "delivered", "safe"]).orderBy("seq").execute();

function effect(op: string, safe: boolean, perform: (db: Db) => Promise<unknown>, kind: EffectKind = "outside") {
  return defineEffect({ op, kind, args: z.unknown(), safe: () => safe, perform: ({ db }) => perform(db) });
}

const none = async () => null;

test("results are numbered and journalled in the order in which the job gets them", async () => {
  await using store = await testStore();
  const gate = Promise.withResolvers<string>();
  const slow = effect("slow", true, () => gate.promise);
  const quick = effect("quick", true, async () => "quick");
  const { call } = await fresh(store, [slow, quick]);
  const first = call(1, "slow");
  expect(await call(2, "quick").reply).toEqual({ ok: true, json: '"quick"', guestMs: 5_000 });
  gate.resolve("slow");
  await first.reply;
  expect(await journal(store.db)).toMatchObject([
    { seq: 1, delivered: 2 },
    { seq: 2, delivered: 1 },
  ]);
});

test("an unsafe effect has its intent before it starts, and keeps it where it was cut off", async () => {
  await using store = await testStore();
  const seen: unknown[] = [];
  const started = Promise.withResolvers<void>();
  const cut = Promise.withResolvers<never>();
  const post = effect("post", false, async (db) => {
    seen.push(...(await journal(db)));
    started.resolve();
    return cut.promise;
  });
  const { call, performed, seen: delivered } = await fresh(store, [post]);
  call(1, "post");
  await started.promise;
  const ended = performed.end();
  cut.reject(new DOMException("cut off", "AbortError"));
  await ended;
  const intent = { seq: 1, op: "post", state: "intent", outcome: null, delivered: null, safe: false };
  expect(seen).toEqual([intent]);
  expect(await journal(store.db)).toEqual([intent]);
  expect(delivered).toEqual([]);
});

test("an effect of our own and its journal row stand or fall together", async () => {
  await using store = await testStore();
  const write = (key: string) => async (db: Db) => {
    await db
      .insertInto("kv")
      .values({ job: "test", key, value: "1", revision: 1, updated_at: new Date(0) })
      .execute();
  };
  const good = effect("good", true, write("good"), "own");
  const refused = effect(
    "refused",
    true,
    async (db) => {
      await write("refused")(db);
      throw new UserError("permission_denied", "no");
    },
    "own",
  );
  const { call } = await fresh(store, [good, refused]);
  await call(1, "good").reply;
  expect(await call(2, "refused").reply).toMatchObject({ ok: false, json: expect.stringContaining("PermissionError") });
  expect(await store.db.selectFrom("kv").select("key").execute()).toEqual([{ key: "good" }]);
  expect(await journal(store.db)).toMatchObject([{ outcome: "ok" }, { outcome: "error" }]);
});

test("a worker that lost the run changes nothing, and the job sees no error of the store", async () => {
  await using store = await testStore();
  let written = 0;
  const write = async () => {
    written += 1;
  };
  const broken = effect("broken", true, async (db) =>
    db.selectFrom("kv").selectAll().where("key", "=", "\0").execute(),
  );
  const effects = [effect("own", true, write, "own"), effect("post", false, write), broken];
  const { run, call, seen } = await fresh(store, effects);
  await expect(call(1, "broken").served).rejects.toThrow();
  await store.db.updateTable("runs").set({ lease: 2 }).where("id", "=", run.id).execute();
  await expect(call(2, "own").served).rejects.toThrow("does not hold");
  await expect(call(3, "post").served).rejects.toThrow("does not hold");
  expect(written).toBe(1);
  expect(seen).toEqual([]);
  expect(await journal(store.db)).toEqual([]);
});

test("a withdrawn approval stops an unsafe effect before it starts", async () => {
  await using store = await testStore();
  let posts = 0;
  const post = effect("post", false, async () => {
    posts += 1;
  });
  const recheck = async () => {
    throw new UserError("not_approved", "revoked");
  };
  const { call, performed } = await fresh(store, [post], { recheck });
  await call(1, "post").served;
  expect(performed.verdict()).toMatchObject({ state: "denied", message: "revoked" });
  expect(posts).toBe(0);
});

test("large arguments and results are kept whole, as blobs", async () => {
  await using store = await testStore();
  const text = JSON.stringify("x".repeat(200_000));
  const { run, call } = await fresh(store, [effect("large", true, async () => JSON.parse(text))]);
  expect((await call(1, "large", text).reply).json).toBe(text);
  const row = await store.db.selectFrom("journal").selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({ args: null, result: null });
  for (const hash of [row.args_hash, row.result_hash]) {
    expect(Buffer.from(await requireBlob(store.db, hash ?? "")).toString()).toBe(text);
  }
  expect(await readJournal(store.db, run.id, 1)).toMatchObject([{ argsJson: text, resultJson: text }]);
});

test("what is on record is answered in its order of delivery, before anything else is performed", async () => {
  await using store = await testStore();
  const performedOps: string[] = [];
  const gate = Promise.withResolvers<string>();
  const named = (op: string, result: () => Promise<unknown>) =>
    effect(op, true, () => {
      performedOps.push(op);
      return result();
    });
  const effects = [named("slow", () => gate.promise), named("quick", async () => "quick"), named("new", none)];
  const { run, call: first } = await fresh(store, effects);
  const slow = first(1, "slow");
  await first(2, "quick").reply;
  gate.resolve("slow");
  await slow.reply;

  performedOps.length = 0;
  const { call, seen, performed } = await serving(store, run, effects);
  const fresh3 = call(3, "new");
  const one = call(1, "slow");
  expect(performed.unplayed()).toContain("Effect 2, quick {}");
  expect(performedOps).toEqual([]);
  await call(2, "quick").reply;
  await Promise.all([one.reply, fresh3.reply]);
  expect(seen).toEqual([
    [2, '"quick"'],
    [1, '"slow"'],
    [3, "null"],
  ]);
  expect(performedOps).toEqual(["new"]);
  expect(await journal(store.db)).toMatchObject([{ delivered: 2 }, { delivered: 1 }, { delivered: 3 }]);
});

test.each([
  ["another operation", "b", "{}", "Effect 1 was a {} when it was recorded, and is b {} now."],
  ["other arguments", "a", '{"x":1}', 'Effect 1 was a {} when it was recorded, and is a {"x":1} now.'],
])("%s than on record ends the attempt, and nothing is performed", async (_, op, args, message) => {
  await using store = await testStore();
  let performs = 0;
  const count = async () => {
    performs += 1;
  };
  const effects = [effect("a", true, count), effect("b", true, count)];
  const { run, call: first } = await fresh(store, effects);
  await first(1, "a").reply;
  const { call, performed, seen } = await serving(store, run, effects);
  await call(1, op, args).served;
  expect(performed.verdict()).toEqual({ state: "nondeterminism", message });
  expect(performed.stopped.aborted).toBe(true);
  expect([performs, seen]).toEqual([1, []]);
});

test("a job that waits without asking again for what is on record is named too", async () => {
  await using store = await testStore();
  const effects = [effect("a", true, none)];
  const { run, call: first } = await fresh(store, effects);
  await first(1, "a").reply;
  const { call, performed } = await serving(store, run, effects);
  call(2, "a");
  performed.onQuiet();
  expect(performed.verdict()).toMatchObject({ message: expect.stringContaining("Effect 1, a {}, is on record") });
  await performed.end();
});

test.each([
  ["repeat", 2, [[1, "2"]]],
  ["skip", 1, [[1, expect.stringContaining('"code":"uncertain"')]]],
] as const)("an unsafe effect that a crash cut off: %s", async (decided, posts, delivered) => {
  await using store = await testStore();
  let posted = 0;
  const cut = Promise.withResolvers<never>();
  const post = effect("post", false, async () => {
    posted += 1;
    return posted === 1 ? cut.promise : posted;
  });
  const { run, call: first, performed } = await fresh(store, [post]);
  first(1, "post");
  await expect.poll(() => posted).toBe(1);
  const ended = performed.end();
  cut.reject(new DOMException("", "AbortError"));
  await ended;

  const { call, seen } = await serving(store, run, [post], { uncertain: async () => decided });
  await call(1, "post").reply;
  expect(posted).toBe(posts);
  expect(seen).toEqual(delivered);
  expect(await journal(store.db)).toMatchObject([{ seq: 1, state: "done", safe: false }]);
});

test("a run that only waits is suspended until the first thing that it waits for, and goes on with the same times", async () => {
  await using store = await testStore();
  const { run, call, performed } = await fresh(store, [sleep]);
  call(1, "sleep", '{"ms":60000}');
  call(2, "sleep", '{"ms":90000}');
  performed.onQuiet();
  await expect.poll(() => performed.verdict(), { timeout: 5_000 }).toBeDefined();
  expect(performed.verdict()).toEqual({ state: "suspended", wakeAt: new Date(65_000) });
  await performed.end();
  expect(await journal(store.db)).toMatchObject([{ state: "intent" }, { state: "intent" }]);
  expect((await readJournal(store.db, run.id, 1))[0]?.startedAt).toEqual(new Date(5_000));
});

test("a run that waits for something else too is not suspended", async () => {
  await using store = await testStore();
  const gate = Promise.withResolvers<null>();
  const { call, performed } = await fresh(store, [sleep, effect("slow", true, () => gate.promise)]);
  call(1, "sleep", '{"ms":60000}');
  const slow = call(2, "slow");
  performed.onQuiet();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(performed.verdict()).toBeUndefined();
  gate.resolve(null);
  await slow.reply;
  await performed.end();
});

test("a journal that would grow beyond its limit ends the attempt before the job sees the result", async () => {
  await using store = await testStore();
  const big = effect("big", true, async () => "x".repeat(600));
  const { call, performed, seen } = await fresh(store, [big], { journalBytes: 1_000 });
  await call(1, "big").reply;
  await call(2, "big").served;
  expect(performed.verdict()).toMatchObject({ state: "limit", limit: "journalBytes" });
  expect(seen).toHaveLength(1);
});
