import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createTestDatabase, storeKinds, testStore } from "../../tests/support/store.ts";
import { silentLog } from "../log.ts";
import { putBlob, requireBlob } from "./blobs.ts";
import { openPglite } from "./open-pglite.ts";
import { notify, openStore, pgliteStore } from "./open-store.ts";

const event = (subject: string) => ({ kind: "test", actor: "test", subject, detail: "{}" });

describe.each(storeKinds)("the store on %s", (kind) => {
  test("the outer handle throws inside a transaction and works after it", async () => {
    await using store = await testStore(kind);
    await store.db.transaction().execute(async (trx) => {
      await trx.insertInto("events").values(event("inside")).execute();
      await expect(store.db.selectFrom("jobs").selectAll().execute()).rejects.toThrow("use trx");
    });
    expect(await store.db.selectFrom("events").select("subject").execute()).toEqual([{ subject: "inside" }]);
  });

  test("concurrent transactions stay apart, and a failed one leaves nothing and harms nobody", async () => {
    await using store = await testStore(kind);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        store.db.transaction().execute(async (trx) => {
          await trx
            .insertInto("events")
            .values(event(String(n)))
            .execute();
          if (n % 2) await trx.insertInto("jobs").values({ name: "x", state: "active" }).execute();
          if (n % 2) await trx.insertInto("jobs").values({ name: "x", state: "active" }).execute();
        }),
      ),
    );
    expect(results.filter((result) => result.status === "rejected")).toHaveLength(10);
    expect(await store.db.selectFrom("events").select("subject").execute()).toHaveLength(10);
    expect(await store.db.selectFrom("jobs").selectAll().execute()).toEqual([]);
  });

  test("a notification is heard after the commit, and not after a rollback", async () => {
    await using store = await testStore(kind);
    const heard: string[] = [];
    const second = Promise.withResolvers<void>();
    await store.listen("test", (payload) => {
      heard.push(payload);
      if (payload === "kept") second.resolve();
    });
    await store.db
      .transaction()
      .execute(async (trx) => {
        await notify(trx, "test", "rolled back");
        throw new Error("no");
      })
      .catch(() => {});
    await store.db.transaction().execute((trx) => notify(trx, "test", "kept"));
    await second.promise;
    expect(heard).toEqual(["kept"]);
  });

  test("JSON text comes back to the letter, and a changed blob is noticed", async () => {
    await using store = await testStore(kind);
    const detail = JSON.stringify({ z: "\u0000\ud800", a: 1 });
    await store.db
      .insertInto("events")
      .values({ ...event("json"), detail })
      .execute();
    expect((await store.db.selectFrom("events").select("detail").executeTakeFirstOrThrow()).detail).toBe(detail);
    const hash = await putBlob(store.db, "content");
    expect(Buffer.from(await requireBlob(store.db, hash)).toString()).toBe("content");
    await store.db
      .updateTable("blobs")
      .set({ bytes: Buffer.from("other") })
      .execute();
    await expect(requireBlob(store.db, hash)).rejects.toThrow("was changed");
  });
});

test("content that is put again counts as young, so that retention does not take it from under its new owner", async () => {
  await using store = await testStore();
  const hash = await putBlob(store.db, "content");
  const old = new Date("2020-01-01T00:00:00Z");
  await store.db.updateTable("blobs").set({ created_at: old }).execute();
  expect(await putBlob(store.db, "content")).toBe(hash);
  const row = await store.db.selectFrom("blobs").select("created_at").executeTakeFirstOrThrow();
  expect(row.created_at.getTime()).toBeGreaterThan(old.getTime());
});

test("an acknowledged write on PGlite has been synced to disk", async () => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-sync-"));
  let syncs = 0;
  const count = () => {
    syncs += 1;
  };
  const pglite = await openPglite(join(folder, "data"), { sync: count, syncBeside: async () => count() });
  await using store = await pgliteStore(pglite);
  syncs = 0;
  for (let n = 0; n < 10; n += 1)
    await store.db
      .insertInto("events")
      .values(event(String(n)))
      .execute();
  expect(syncs).toBeGreaterThanOrEqual(10);
  rmSync(folder, { recursive: true });
});

test.skipIf(!storeKinds.includes("postgres"))(
  "several programs may open and migrate one PostgreSQL at once",
  async () => {
    const database = await createTestDatabase();
    const open = () => openStore({ dataDir: "", databaseUrl: database.url, log: silentLog });
    const stores = await Promise.all([open(), open(), open()]);
    for (const store of stores) await store[Symbol.asyncDispose]();
    await database.drop();
  },
);
