import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { fillTables, rowsAsText } from "../../tests/support/fill-tables.ts";
import { createTestDatabase, storeKinds, testStore, unsyncedPglite } from "../../tests/support/store.ts";
import { silentLog } from "../log.ts";
import { putBlob } from "./blobs.ts";
import { dumpStore, type StorePart } from "./dump-store.ts";
import { createLoader, difference } from "./load-store.ts";
import { migrate, migrations } from "./migrate.ts";
import { type Db, pgliteStore, postgresStore, type Store } from "./open-store.ts";

const pairs = storeKinds.flatMap((from) => storeKinds.map((to) => [from, to] as const));

async function copy(from: Db, to: Db) {
  const loader = await createLoader(to);
  const summary = await dumpStore(from, loader.load);
  await loader.finish(summary);
  return summary;
}

describe.each(pairs)("a store on %s, copied to %s", (from, to) => {
  test("has every row of every table with every column, but for who worked on it", async () => {
    await using source = await testStore(from);
    await using target = await testStore(to);
    const tables = await fillTables(source.db);
    const summary = await copy(source.db, target.db);
    expect(summary.tables.map(({ name }) => name).sort()).toEqual(tables.filter((name) => name !== "workers").sort());
    for (const table of tables) {
      const rows = await rowsAsText(source.db, table);
      expect(rows, table).toHaveLength(2);
      expect(await rowsAsText(target.db, table), table).toEqual(table === "workers" ? [] : rows);
    }
  });

  test("gives the numbers that come next, also where the last ones were deleted", async () => {
    await using source = await testStore(from);
    await using target = await testStore(to);
    const add = async (db: Db) => {
      const event = { kind: "k", actor: "a", subject: "s", detail: "{}" };
      return (await db.insertInto("events").values(event).returning("id").executeTakeFirstOrThrow()).id;
    };
    for (let n = 0; n < 5; n++) await add(source.db);
    await source.db.deleteFrom("events").where("id", ">", 2).execute();
    await copy(source.db, target.db);
    expect([await add(target.db), await add(source.db)]).toEqual([6, 6]);
  });
});

test("a row that is longer than a part comes alone, and nothing is lost between parts", async () => {
  await using source = await testStore();
  await using target = await testStore();
  for (const [n, size] of [10, 3_000_000, 20, 700_000, 30].entries()) await putBlob(source.db, Buffer.alloc(size, n));
  const parts: StorePart[] = [];
  await dumpStore(source.db, async (part) => void parts.push(part));
  const own = parts.filter(({ table }) => table === "blobs").map(({ lines }) => lines.trimEnd().split("\n").length);
  expect(own).toEqual([1, 1, 1, 1, 1]);
  await copy(source.db, target.db);
  expect(await rowsAsText(target.db, "blobs")).toEqual(await rowsAsText(source.db, "blobs"));
});

test("a copy that lacks a row, or has another, is not taken for the same", async () => {
  await using source = await testStore();
  await using target = await testStore();
  await fillTables(source.db);
  const loader = await createLoader(target.db);
  const summary = await dumpStore(source.db, loader.load);
  const look = () => dumpStore(target.db, async () => {});
  expect(difference(summary, await look())).toBeUndefined();
  await sql`update kv set revision = revision + 1 where key like '%.0 %'`.execute(target.db);
  expect(difference(summary, await look())).toBe("rows of kv differ");
  await sql`delete from kv`.execute(target.db);
  await expect(loader.finish(summary)).rejects.toThrow("kv has 0 rows, not 2");
});

/** Made anew, which PostgreSQL does much faster. */
async function storeOf(shape: string): Promise<Store> {
  if (!storeKinds.includes("postgres")) return pgliteStore(await unsyncedPglite(), { upTo: shape });
  const database = await createTestDatabase();
  const store = await postgresStore(database.url, silentLog, { upTo: shape });
  const close = async () => {
    await store[Symbol.asyncDispose]();
    await database.drop();
  };
  return { ...store, [Symbol.asyncDispose]: close };
}

test.each(Object.keys(migrations))("what was dumped at %s comes up to date after it was loaded", async (shape) => {
  await using source = await storeOf(shape);
  await using target = await storeOf(shape);
  await fillTables(source.db);
  const { migrations: applied } = await copy(source.db, target.db);
  expect(applied.at(-1)).toBe(shape);
  await migrate(target.db);
  await using newest = await testStore();
  const columns = async (db: Db) => (await dumpStore(db, async () => {})).tables.map(({ columns: all }) => all);
  expect(await columns(target.db)).toEqual(await columns(newest.db));
});
