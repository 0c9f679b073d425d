import type { PGlite } from "@electric-sql/pglite";
import {
  type DatabaseConnection,
  type Dialect,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import pg from "pg";
import { columnTypes } from "./open-postgres.ts";
import { PgliteStream } from "./pglite-stream.ts";
import { createStatementNames } from "./statement-names.ts";

export type PgliteConnection = Readonly<{
  dialect: Dialect;
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
}>;

/** The one connection that an embedded database has. Destroying the dialect closes the database. */
export async function connectPglite(pglite: PGlite): Promise<PgliteConnection> {
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

  const names = createStatementNames((name) => void client.query(`deallocate ${name}`).catch(() => {}));
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: { sql: string; parameters: readonly unknown[] }) {
      const query = { name: names.nameOf(sql), text: sql, values: [...parameters] };
      const { rows, rowCount } = await client.query<R & pg.QueryResultRow>(query);
      return { rows, ...(rowCount === null ? {} : { numAffectedRows: BigInt(rowCount) }) };
    },
    streamQuery() {
      throw new Error("PGlite streams no rows: ask for a page at a time");
    },
  };
  const say = (sql: string) => client.query(sql);
  const callbacks = new Map<string, Set<(payload: string) => void>>();
  client.on("notification", ({ channel, payload }) => {
    for (const callback of callbacks.get(channel) ?? []) callback(payload ?? "");
  });

  return {
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createDriver: () => ({
        init: async () => {},
        acquireConnection: async () => connection,
        async beginTransaction(_connection, { isolationLevel, accessMode }) {
          await say(["start transaction", isolationLevel && `isolation level ${isolationLevel}`, accessMode].join(" "));
        },
        async commitTransaction() {
          // So it ends where a statement failed and nobody rolled back.
          const { command } = await say("commit");
          if (command === "ROLLBACK") throw new Error("the transaction was rolled back: a statement in it had failed");
        },
        rollbackTransaction: async () => void (await say("rollback")),
        releaseConnection: async () => {},
        async destroy() {
          await client.end();
          await pglite.close();
        },
      }),
    },
    async listen(channel, onNotify) {
      const known = callbacks.get(channel);
      if (known === undefined) {
        callbacks.set(channel, new Set([onNotify]));
        await say(`listen ${client.escapeIdentifier(channel)}`);
      } else known.add(onNotify);
      return async () => void callbacks.get(channel)?.delete(onNotify);
    },
  };
}
