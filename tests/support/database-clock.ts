import { sql } from "kysely";
import type { Store } from "../../server/store/open-store.ts";
import { type StoreKind, testStore } from "./store.ts";

export type ClockedStore = AsyncDisposable & Readonly<{ store: Store; setTime(ms: number): Promise<void> }>;

/**
 * A fresh store whose database goes by a clock of the test's: the functions that tell the queue's statements the time are ours, which
 * stand before PostgreSQL's own in the search path.
 */
export async function clockedStore(kind: StoreKind, startMs: number): Promise<ClockedStore> {
  const store = await testStore(kind, { searchPath: "public, test_clock, pg_catalog" });
  const { db } = store;
  await sql`create schema test_clock`.execute(db);
  await sql`create table test_clock.clock (at timestamptz not null)`.execute(db);
  await sql`insert into test_clock.clock values (${new Date(startMs)})`.execute(db);
  for (const name of ["now", "statement_timestamp"]) {
    const told = "returns timestamptz language sql stable as 'select at from test_clock.clock'";
    await sql.raw(`create function test_clock.${name}() ${told}`).execute(db);
  }
  return {
    store,
    async setTime(ms) {
      await sql`update test_clock.clock set at = ${new Date(ms)}`.execute(db);
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
