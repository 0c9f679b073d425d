import type { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { messageOf } from "../errors.ts";
import { logSyncOf } from "./open-pglite.ts";
import { columnTypes } from "./open-postgres.ts";
import { PgliteStream } from "./pglite-stream.ts";
import { createStatementNames, type StatementNames } from "./statement-names.ts";

/** A client of one open PGlite, for as long as that lives: what a PANIC ended answers nothing any more. */
export type PgliteSession = Readonly<{
  client: pg.Client;
  names: StatementNames;
  /** As the client's own, but rejects where the database has died meanwhile, or dies of it. */
  query<R extends pg.QueryResultRow>(query: string | pg.QueryConfig): Promise<pg.QueryResult<R>>;
  /** To be called after each turn: resolves once what it wrote is on disk, and rejects where the database dies of that. */
  onDisk(): Promise<void>;
  /** Why it has died; undefined while it lives. */
  death(): Error | undefined;
  close(): Promise<void>;
}>;

/** Opens the one session that a PGlite has. */
export async function openSession(pglite: PGlite): Promise<PgliteSession> {
  const client = new pg.Client({
    stream: () => new PgliteStream(pglite),
    types: columnTypes,
    // Everything that `pg` would else take from the environment's PG… variables.
    ...{
      host: "pglite",
      user: "postgres",
      database: "postgres",
      password: "",
      ssl: false,
      application_name: "jobrunner",
    },
    options: "-c search_path=public",
  });
  // A query that finds the database broken rejects; nobody else has to hear.
  client.on("error", () => {});
  await client.connect();
  const dead = Promise.withResolvers<never>();
  dead.promise.catch(() => {});
  let death: Error | undefined;
  const die = (error: unknown) => {
    death ??= error instanceof Error ? error : new Error(messageOf(error));
    // What waits behind it would wait for ever.
    dead.reject(death);
  };
  const logSync = logSyncOf(pglite);

  return {
    client,
    names: createStatementNames(),
    death: () => death,
    async query<R extends pg.QueryResultRow>(query: string | pg.QueryConfig) {
      if (death !== undefined) throw death;
      try {
        return await Promise.race([client.query<R>(query), dead.promise]);
      } catch (error) {
        if (isDeadly(error)) die(error);
        throw error;
      }
    },
    async onDisk() {
      try {
        await logSync?.onDisk();
      } catch (error) {
        die(error);
        throw error;
      }
    },
    async close() {
      if (death !== undefined) return;
      await client.end();
      await pglite.close();
    },
  };
}

/** A statement that fails tells so as ERROR. Anything else, such as a PANIC where the log finds no room, ends the database. */
function isDeadly(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || error.severity === "PANIC" || error.severity === "FATAL";
}
