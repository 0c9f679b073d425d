import type { PGlite } from "@electric-sql/pglite";
import {
  type DatabaseConnection,
  type Dialect,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import type pg from "pg";
import type { Turns } from "./guarded-dialect.ts";
import { openSession, type PgliteSession } from "./pglite-session.ts";

export type PgliteConnection = Readonly<{
  dialect: Dialect;
  /** A commit of the dialect is on disk when its turn has ended, not before. */
  turns: Turns;
  /** Calls back on each notification of a channel that a statement listens to; gives what ends that. */
  hear(channel: string, onNotify: (payload: string) => void): () => void;
}>;

/** Opens the database again after its death; throws while that makes no sense. */
export type Reopen = () => Promise<PGlite>;

/** After a failure it is not tried again for so long. */
const reopenAfterMs = 1_000;

/**
 * The one connection that an embedded database has. Destroying the dialect closes the database. Where it dies (a full disk can do
 * that), what was under way fails, and with `reopen` the next query finds it opened again, as after a crash.
 */
export async function connectPglite(pglite: PGlite, reopen?: Reopen): Promise<PgliteConnection> {
  const callbacks = new Map<string, Set<(payload: string) => void>>();
  let session = await startSession(pglite);
  let transaction: PgliteSession | undefined;
  let failure: { error: unknown; at: number } | undefined;

  async function startSession(opened: PGlite): Promise<PgliteSession> {
    const made = await openSession(opened);
    made.client.on("notification", ({ channel, payload }) => {
      for (const callback of callbacks.get(channel) ?? []) callback(payload ?? "");
    });
    for (const channel of callbacks.keys()) await made.query(`listen ${made.client.escapeIdentifier(channel)}`);
    return made;
  }

  /** The session to use now: the transaction's own, dead or alive, or one that lives. */
  async function usable(): Promise<PgliteSession> {
    if (transaction !== undefined) return transaction;
    if (session.death() === undefined || reopen === undefined) return session;
    if (failure !== undefined && performance.now() - failure.at < reopenAfterMs) throw failure.error;
    try {
      session = await startSession(await reopen());
    } catch (error) {
      failure = { error, at: performance.now() };
      throw error;
    }
    return session;
  }

  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: { sql: string; parameters: readonly unknown[] }) {
      const { query, names } = await usable();
      const { name, unused } = names.nameOf(sql);
      if (unused !== undefined) await query(`deallocate ${unused}`);
      const { rows, rowCount } = await query<R & pg.QueryResultRow>({ name, text: sql, values: [...parameters] });
      return { rows, ...(rowCount === null ? {} : { numAffectedRows: BigInt(rowCount) }) };
    },
    streamQuery() {
      throw new Error("PGlite streams no rows: ask for a page at a time");
    },
  };

  return {
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createDriver: () => ({
        init: async () => {},
        acquireConnection: async () => connection,
        async beginTransaction(_connection, { isolationLevel, accessMode }) {
          const own = await usable();
          await own.query(
            ["start transaction", isolationLevel && `isolation level ${isolationLevel}`, accessMode].join(" "),
          );
          transaction = own;
        },
        async commitTransaction() {
          const own = await usable();
          // So it ends where a statement failed and nobody rolled back.
          const { command } = await own.query("commit");
          transaction = undefined;
          if (command === "ROLLBACK") throw new Error("the transaction was rolled back: a statement in it had failed");
        },
        async rollbackTransaction() {
          const own = await usable();
          transaction = undefined;
          // The dead have rolled back.
          if (own.death() === undefined) await own.query("rollback");
        },
        releaseConnection: async () => {
          transaction = undefined;
        },
        destroy: () => session.close(),
      }),
    },
    turns: { onEnd: () => session.onDisk() },
    hear(channel, onNotify) {
      callbacks.set(channel, (callbacks.get(channel) ?? new Set()).add(onNotify));
      return () => void callbacks.get(channel)?.delete(onNotify);
    },
  };
}
