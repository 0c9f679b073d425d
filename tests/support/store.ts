import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { sql } from "kysely";
import pg from "pg";
import { silentLog } from "../../server/log.ts";
import { compileWasmOnce } from "../../server/store/compile-wasm-once.ts";
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
  const store = await pgliteTestStore();
  if (searchPath !== undefined) await sql`set search_path = ${sql.raw(searchPath)}`.execute(store.db);
  return store;
}

/** From a copy of the shared one, which opens sooner than one in memory. */
async function pgliteTestStore(): Promise<Store> {
  const shared = process.env.TEST_SHARED;
  if (!shared) return pgliteStore(await unsyncedPglite());
  const dataDir = mkdtempSync(join(shared, "store-"));
  cpSync(join(shared, "small-pglite"), dataDir, { recursive: true });
  const store = await pgliteStore(await unsyncedPglite(dataDir));
  const close = async () => {
    await store[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true });
  };
  return { ...store, [Symbol.asyncDispose]: close };
}

/** Puts the database that a daemon would make at its first start in its place, where tests share one. */
export function copySharedDatabase(dataDir: string): void {
  const shared = process.env.TEST_SHARED;
  if (shared) cpSync(join(shared, "pglite"), dataDir, { recursive: true });
}

/** In memory where no folder is given. Small buffers and a small log make most of what opens and copies it sooner. */
export function unsyncedPglite(dataDir?: string): Promise<PGlite> {
  compileWasmOnce();
  const startParams = [
    ...PGlite.defaultStartParams,
    ...small("shared_buffers=2MB", "min_wal_size=2MB", "max_wal_size=32MB"),
  ];
  const initDbStartParams = [...small("shared_buffers=2MB"), "--wal-segsize=1", "--no-sync"];
  return PGlite.create({ startParams, initDbStartParams, ...(dataDir === undefined ? {} : { dataDir }) });
}

function small(...settings: string[]): string[] {
  return settings.flatMap((setting) => ["-c", setting]);
}

async function postgresTestStore(searchPath: string | undefined): Promise<Store> {
  const database = await createTestDatabase({ migrated: true });
  const url = new URL(database.url);
  if (searchPath !== undefined) url.searchParams.set("options", `-c search_path=${searchPath.replaceAll(" ", "")}`);
  const store = await openStore({ dataDir: "", databaseUrl: url.href, log: silentLog });
  const close = async () => {
    await store[Symbol.asyncDispose]();
    await database.drop();
  };
  return { ...store, [Symbol.asyncDispose]: close };
}

/** A database of its own on the test server: empty, or with our tables where tests share such a one. */
export async function createTestDatabase({ migrated = false } = {}): Promise<{ url: string; drop(): Promise<void> }> {
  const server = process.env.TEST_DATABASE_URL;
  if (!server) throw new Error("No PostgreSQL for tests: set TEST_DATABASE_URL or install it.");
  const name = `jr_${randomUUID().replaceAll("-", "")}`;
  const template = migrated ? process.env.TEST_DATABASE_TEMPLATE : undefined;
  await onServer(server, `create database ${name} ${template ? `template ${template}` : ""}`);
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
