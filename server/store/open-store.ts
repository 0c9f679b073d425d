import { AsyncLocalStorage } from "node:async_hooks";
import type { PGlite } from "@electric-sql/pglite";
import { type Kysely, PostgresDialect, sql } from "kysely";
import type { Log } from "../log.ts";
import { connectPglite, type Reopen } from "./connect-pglite.ts";
import { GuardedKysely, guardedDialect, type TransactionScope } from "./guarded-dialect.ts";
import { listenPostgres } from "./listen-postgres.ts";
import { migrate } from "./migrate.ts";
import { openPglite, reopenPglite } from "./open-pglite.ts";
import { openPostgres } from "./open-postgres.ts";
import type { Tables } from "./tables.ts";

/** A handle to query with: the store's own, or a transaction's. Inside a transaction only the transaction's may be used. */
export type Db = Kysely<Tables>;

/** An open, migrated database. Disposing it closes every connection. */
export type Store = AsyncDisposable &
  Readonly<{
    db: Db;
    kind: "pglite" | "postgres";
    /** What the server says of its version. */
    version: string;
    /** Calls back on each `notify` of the channel, of this process or another. A notification can be lost: poll as well. */
    listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  }>;

/**
 * Opens PostgreSQL where a URL is given and PGlite in `dataDir` otherwise, and migrates it.
 * Throws `store_unavailable` where PostgreSQL does not answer, `unsupported` where it is older than 15.
 */
export async function openStore(options: { dataDir: string; databaseUrl: string | null; log: Log }): Promise<Store> {
  return options.databaseUrl === null
    ? pgliteStore(await openPglite(options.dataDir), { reopen: () => reopenPglite(options.dataDir) })
    : postgresStore(options.databaseUrl, options.log);
}

/** To which migration a store is brought: the newest unless one is named; `null` leaves it as it is. */
export type Shape = string | null | undefined;

/** The store over an open PGlite, which it then owns. */
export async function pgliteStore(
  pglite: PGlite,
  { upTo, reopen }: { upTo?: Shape; reopen?: Reopen } = {},
): Promise<Store> {
  const scope: TransactionScope = new AsyncLocalStorage();
  const { dialect, hear, turns } = await connectPglite(pglite, reopen);
  const db = new GuardedKysely(guardedDialect(dialect, scope, turns), scope);
  const listen: Store["listen"] = async (channel, onNotify) => {
    const stop = hear(channel, onNotify);
    // In its turn like any statement: within another's transaction it would be rolled back with that.
    await sql`listen ${sql.id(channel)}`.execute(db);
    return async () => stop();
  };
  return finish(db, "pglite", listen, async () => {}, upTo);
}

/** The store in a PostgreSQL, in our own schema unless another is named. */
export async function postgresStore(
  databaseUrl: string,
  log: Log,
  { schema, upTo }: { schema?: string; upTo?: Shape } = {},
): Promise<Store> {
  const scope: TransactionScope = new AsyncLocalStorage();
  const pool = await openPostgres(databaseUrl, log, schema);
  const listener = listenPostgres(databaseUrl, log);
  const db = new GuardedKysely(guardedDialect(new PostgresDialect({ pool }), scope), scope);
  return finish(db, "postgres", listener.listen, listener.close, upTo);
}

async function finish(
  db: Db,
  kind: Store["kind"],
  listen: Store["listen"],
  close: () => Promise<void>,
  upTo: Shape,
): Promise<Store> {
  const dispose = async () => {
    await close();
    await db.destroy();
  };
  try {
    if (upTo !== null) await migrate(db, upTo);
    const { rows } = await sql<{ version: string }>`select version() as version`.execute(db);
    return { db, kind, version: rows[0]?.version ?? "", listen, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Tells listeners of `channel`, once the transaction that `db` stands for commits. */
export async function notify(db: Db, channel: string, payload = ""): Promise<void> {
  await sql`select pg_notify(${channel}, ${payload})`.execute(db);
}
