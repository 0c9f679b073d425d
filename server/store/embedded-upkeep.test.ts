import { sql } from "kysely";
import { expect, test } from "vitest";
import { testStore } from "../../tests/support/store.ts";
import { shortenLog, vacuumTables } from "./embedded-upkeep.ts";
import type { Db } from "./open-store.ts";

const megabyte = 1024 * 1024;

async function read(db: Db, bytes: ReturnType<typeof sql>): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`select (${bytes})::bigint as bytes`.execute(db);
  return rows[0]?.bytes ?? 0;
}

test("the write-ahead log of the embedded store does not grow for ever", async () => {
  await using store = await testStore();
  const { db } = store;
  const logBytes = () => read(db, sql`select sum(size) from pg_ls_waldir()`);
  await sql`alter table blobs alter bytes set storage external`.execute(db);
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    await sql`insert into blobs (hash, bytes)
      select ${`${round}.`}::text || n, convert_to(repeat('x', 1000000), 'UTF8') from generate_series(1, 40) n`.execute(
      db,
    );
    await sql`delete from blobs`.execute(db);
    await shortenLog(db, 32 * megabyte);
    sizes.push(await logBytes());
  }
  // 240 MB were written. Old files are kept to be used again, up to min_wal_size and what one round needs.
  expect(Math.max(...sizes)).toBeLessThan(160 * megabyte);
  expect(await shortenLog(db, 32 * megabyte)).toBe(0);
});

test("the room of rows that were deleted or changed is used again", async () => {
  await using store = await testStore();
  const { db } = store;
  const tableBytes = () => read(db, sql`select pg_relation_size('events')`);
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    await sql`insert into events (kind, actor, subject, detail)
      select 'k', 'a', 's', repeat('d', 100) from generate_series(1, 5000)`.execute(db);
    await sql`delete from events`.execute(db);
    await sql`insert into events (kind, actor, subject, detail) values ('k', 'a', 's', 'the last one')`.execute(db);
    await vacuumTables(db, "all");
    sizes.push(await tableBytes());
  }
  expect(Math.max(...sizes)).toBeLessThan(2 * (sizes[0] ?? 0) + 16_384);
});

test("a table is counted anew once it has grown, so that statements are not planned for a small one", async () => {
  await using store = await testStore();
  const { db } = store;
  const addEvents = (count: number) =>
    sql`insert into events (kind, actor, subject, detail)
      select 'k', 'a', 's', repeat('d', 100) from generate_series(1, ${count}::integer)`.execute(db);
  const counted = () => read(db, sql`select reltuples from pg_class where relname = 'events'`);
  await vacuumTables(db, "all");
  await addEvents(10);
  await vacuumTables(db, "grown");
  expect(await counted()).toBe(0);
  await addEvents(5_000);
  await vacuumTables(db, "grown");
  expect(await counted()).toBe(5_010);
  await addEvents(10);
  await vacuumTables(db, "grown");
  expect(await counted()).toBe(5_010);
});
