import pg from "pg";
import { messageOf, UserError } from "../errors.ts";
import type { Log } from "../log.ts";

/** All of our tables live in this schema, so that a database can be shared with others. */
export const ownSchema = "jobrunner";

/** How columns are read, on both stores. */
export const columnTypes: pg.CustomTypesConfig = {
  // int8 comes as text by default; our numbers stay far below 2^53.
  getTypeParser: (oid, format) => (oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)),
};

/** Settings that the pool and the listening client share. */
export function connectionSettings(databaseUrl: string, schema = ownSchema): pg.ClientConfig {
  return {
    connectionString: databaseUrl,
    application_name: "jobrunner",
    options: `-c search_path=${schema}`,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: columnTypes,
  };
}

/**
 * A pool for PostgreSQL 15 or newer, with our schema made. Throws `store_unavailable` where the server does not answer.
 * A lost connection is logged and replaced; without the handler it would end the process.
 */
export async function openPostgres(databaseUrl: string, log: Log, schema = ownSchema): Promise<pg.Pool> {
  const pool = new pg.Pool({ ...connectionSettings(databaseUrl, schema), max: 10 });
  pool.on("error", (error) => log.warn({ err: messageOf(error) }, "a database connection was lost"));
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    const version = await pool.query<{ server_version_num: string }>("show server_version_num");
    const major = Math.floor(Number(version.rows[0]?.server_version_num) / 10_000);
    if (major < 15) throw new UserError("unsupported", `PostgreSQL ${major} is too old: JobRunner needs 15 or newer.`);
    await createSchema(pool, schema);
    return pool;
  } catch (error) {
    await pool.end();
    if (error instanceof UserError) throw error;
    throw new UserError("store_unavailable", `PostgreSQL does not answer: ${messageOf(error)}`, {
      next: "Check DATABASE_URL and that the server runs; the daemon tries again by itself.",
      cause: error,
    });
  }
}

/** `if not exists` alone fails where two start at once, so they take turns. */
async function createSchema(pool: pg.Pool, schema: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock(hashtext('jobrunner schema'))");
    await client.query(`create schema if not exists ${schema}`);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}
