import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import type { Log } from "../log.ts";
import { syncFolder } from "../private-file.ts";
import { openPglite } from "./open-pglite.ts";
import { connectionSettings, ownSchema } from "./open-postgres.ts";
import { pgliteStore, postgresStore, type Store } from "./open-store.ts";

/** Where a store is: a folder, or a PostgreSQL. */
export type StorePlace = Readonly<{ dataDir: string; databaseUrl: string | null }>;

const stagedSchema = "jobrunner_restoring";

/**
 * Opens an empty store beside the one of that place, of the shape of an earlier migration where one is named. What an earlier,
 * unfinished restore left there is deleted.
 */
export async function openStagedStore(
  { dataDir, databaseUrl }: StorePlace,
  { log, upTo }: Readonly<{ log: Log; upTo?: string | undefined }>,
): Promise<Store> {
  if (databaseUrl === null) {
    rmSync(stagedFolder(dataDir), { recursive: true, force: true });
    return pgliteStore(await openPglite(stagedFolder(dataDir)), upTo);
  }
  await onServer(databaseUrl, (client) => client.query(`drop schema if exists ${stagedSchema} cascade`));
  return postgresStore(databaseUrl, log, { schema: stagedSchema, upTo });
}

/**
 * Puts the staged store in the place of the one in use, which is kept: as the folder `aside`, or as a schema that ends with that
 * folder's name. Done once, however often it is called. Tells where the old one is, undefined where there was none.
 */
export async function useStagedStore({ dataDir, databaseUrl }: StorePlace, aside: string): Promise<string | undefined> {
  const stamp = aside.replace(/^.*[\\/]/, "").replace(/[^a-z0-9]+/gi, "_").toLowerCase();
  if (databaseUrl !== null) return onServer(databaseUrl, (client) => swapSchemas(client, `${ownSchema}_${stamp}`));
  const old = join(aside, "data");
  if (!existsSync(stagedFolder(dataDir))) return existsSync(old) ? old : undefined;
  if (existsSync(dataDir)) renameSync(dataDir, old);
  renameSync(stagedFolder(dataDir), dataDir);
  syncFolder(dirname(dataDir));
  return existsSync(old) ? old : undefined;
}

async function swapSchemas(client: pg.Client, old: string): Promise<string | undefined> {
  const has = async (name: string) =>
    (await client.query("select 1 from pg_namespace where nspname = $1", [name])).rowCount === 1;
  await client.query("begin");
  await client.query("select pg_advisory_xact_lock(hashtext('jobrunner schema'))");
  if (await has(stagedSchema)) {
    if (await has(ownSchema)) await client.query(`alter schema ${ownSchema} rename to ${client.escapeIdentifier(old)}`);
    await client.query(`alter schema ${stagedSchema} rename to ${ownSchema}`);
  }
  await client.query("commit");
  return (await has(old)) ? `schema ${old}` : undefined;
}

async function onServer<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(connectionSettings(databaseUrl));
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function stagedFolder(dataDir: string): string {
  return `${dataDir}.restoring`;
}
