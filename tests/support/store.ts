import { randomUUID } from "node:crypto";
import { openAsBlob } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import pg from "pg";
import { silentLog } from "../../server/log.ts";
import { openMemoryPglite } from "../../server/store/open-pglite.ts";
import { openStore, pgliteStore, type Store } from "../../server/store/open-store.ts";

export type StoreKind = Store["kind"];

/** Kinds of store that this machine can test: PostgreSQL only where global-setup found one. */
export const storeKinds: readonly StoreKind[] = process.env.TEST_DATABASE_URL ? ["pglite", "postgres"] : ["pglite"];

/** A fresh, migrated store; disposing it also drops its database. */
export async function testStore(
  kind: StoreKind = "pglite",
  { searchPath }: Readonly<{ searchPath?: string }> = {},
): Promise<Store> {
  if (kind === "postgres") return postgresTestStore(searchPath);
  const shared = process.env.TEST_SHARED;
  const pglite = await openMemoryPglite(shared ? await openAsBlob(join(shared, "pglite.tar")) : undefined);
  const store = await pgliteStore(pglite);
  if (searchPath !== undefined) await sql`set search_path = ${sql.raw(searchPath)}`.execute(store.db);
  return store;
}

async function postgresTestStore(searchPath: string | undefined): Promise<Store> {
  const database = await createTestDatabase();
  const url = new URL(database.url);
  if (searchPath !== undefined) url.searchParams.set("options", `-c search_path=${searchPath.replaceAll(" ", "")}`);
  const store = await openStore({ dataDir: "", databaseUrl: url.href, log: silentLog });
  const close = async () => {
    await store[Symbol.asyncDispose]();
    await database.drop();
  };
  return { ...store, [Symbol.asyncDispose]: close };
}

/** An empty database of its own on the test server. */
export async function createTestDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = process.env.TEST_DATABASE_URL;
  if (!server) throw new Error("No PostgreSQL for tests: set TEST_DATABASE_URL or install it.");
  const name = `jr_${randomUUID().replaceAll("-", "")}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(server, `drop database ${name} with (force)`) };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
