import { expect, test } from "vitest";
import { z } from "zod";
import { addAttempt, addJob, testManifest } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { type AnyEffect, defineEffect } from "../effects/define-effect.ts";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { requireBlob } from "../store/blobs.ts";
import type { Db, Store } from "../store/open-store.ts";
import { performEffects } from "./perform-effects.ts";
import { claim } from "./queue/claim.ts";
import { enqueue } from "./queue/enqueue.ts";

const any = z.unknown();

/** A claimed run with its attempt, and the function that serves its calls. */
async function serving(store: Store, effects: readonly AnyEffect[], recheck = async () => {}) {
  const { db } = store;
  await addJob(db, "test");
  await enqueue(db, { job: "test", trigger: "person", requestedBy: "person", traceId: "t" });
  const [run] = (await claim(db, { worker: "w", limit: 1 })).runs;
  if (!run) throw new Error("no run");
  await addAttempt(db, run, 1);
  const ended = new AbortController();
  const performed = performEffects({
    db,
    effects,
    startMs: 1_000,
    recheck,
    context: {
      job: "test",
      runId: run.id,
      attempt: run.attempt,
      manifest: testManifest(),
      seed: "00",
      secrets: { get: () => undefined, names: () => [] },
      clock: () => new Date(5_000),
      log: silentLog,
      signal: ended.signal,
    },
  });
  const call = (seq: number, op: string) => performed.onEffect({ seq, op, argsJson: "{}" });
  return { run, call, ended, performed };
}

const journal = (db: Db) =>
  db.selectFrom("journal").select(["seq", "op", "state", "outcome", "delivered", "safe"]).orderBy("seq").execute();

const effect = (op: string, safe: boolean, perform: (db: Db) => Promise<unknown>, own = false) =>
  defineEffect({ op, args: any, safe: () => safe, own, perform: ({ db }) => perform(db) });

test("results are numbered and journalled in the order in which the job gets them", async () => {
  await using store = await testStore();
  const gate = Promise.withResolvers<string>();
  const slow = effect("slow", true, () => gate.promise);
  const quick = effect("quick", true, async () => "quick");
  const { call } = await serving(store, [slow, quick]);
  const first = call(1, "slow");
  expect(await call(2, "quick")).toEqual({ ok: true, json: '"quick"', guestMs: 5_000 });
  gate.resolve("slow");
  await first;
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
  const { call, ended, performed } = await serving(store, [post]);
  const reply = call(1, "post");
  await started.promise;
  ended.abort();
  cut.reject(new DOMException("cut off", "AbortError"));
  await expect(reply).rejects.toThrow();
  await performed.idle();
  const intent = { seq: 1, op: "post", state: "intent", outcome: null, delivered: null, safe: false };
  expect(seen).toEqual([intent]);
  expect(await journal(store.db)).toEqual([intent]);
});

test("an effect of our own and its journal row stand or fall together", async () => {
  await using store = await testStore();
  const write = (key: string) => async (db: Db) => {
    await db
      .insertInto("kv")
      .values({ job: "test", key, value: "1", revision: 1, updated_at: new Date(0) })
      .execute();
  };
  const good = effect("good", true, write("good"), true);
  const refused = effect(
    "refused",
    true,
    async (db) => {
      await write("refused")(db);
      throw new UserError("permission_denied", "no");
    },
    true,
  );
  const { call } = await serving(store, [good, refused]);
  await call(1, "good");
  expect(await call(2, "refused")).toMatchObject({ ok: false, json: expect.stringContaining("PermissionError") });
  expect(await store.db.selectFrom("kv").select("key").execute()).toEqual([{ key: "good" }]);
  expect(await journal(store.db)).toMatchObject([{ outcome: "ok" }, { outcome: "error" }]);
});

test("a worker that lost the run changes nothing, and the job sees no error of the store", async () => {
  await using store = await testStore();
  const own = effect("own", true, async () => "done", true);
  const broken = effect("broken", true, async (db) =>
    db.selectFrom("kv").selectAll().where("key", "=", "\0").execute(),
  );
  const { run, call } = await serving(store, [own, broken]);
  await expect(call(1, "broken")).rejects.toThrow();
  await store.db.updateTable("runs").set({ attempt: 2 }).where("id", "=", run.id).execute();
  await expect(call(2, "own")).rejects.toThrow("does not hold the run");
  expect(await journal(store.db)).toEqual([]);
});

test("a withdrawn approval stops an unsafe effect before it starts", async () => {
  await using store = await testStore();
  let posts = 0;
  const post = effect("post", false, async () => {
    posts += 1;
  });
  const { call } = await serving(store, [post], async () => {
    throw new UserError("not_approved", "revoked");
  });
  await expect(call(1, "post")).rejects.toThrow("revoked");
  expect(posts).toBe(0);
});

test("a large result is kept whole, as a blob", async () => {
  await using store = await testStore();
  const text = "x".repeat(200_000);
  const { call } = await serving(store, [effect("large", true, async () => text)]);
  expect((await call(1, "large")).json).toBe(JSON.stringify(text));
  const row = await store.db.selectFrom("journal").select(["result", "result_hash"]).executeTakeFirstOrThrow();
  expect(row.result).toBeNull();
  expect(Buffer.from(await requireBlob(store.db, row.result_hash ?? "")).toString()).toBe(JSON.stringify(text));
});
