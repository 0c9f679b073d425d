import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import { messageOf, UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import { syncFolder } from "../private-file.ts";
import { openPglite } from "./open-pglite.ts";
import { connectionSettings, ownSchema } from "./open-postgres.ts";
import { pgliteStore, postgresStore, type Store } from "./open-store.ts";

/** Where a store is: a folder, or a PostgreSQL. */
export type StorePlace = Readonly<{ dataDir: string; databaseUrl: string | null }>;

const stagedSchema = "jobrunner_restoring";

/** Opens the store at that place as it is, of whatever shape. Throws `store_unavailable` where there is none. */
export async function openStoreAsIs(place: StorePlace, log: Log): Promise<Store> {
  await requireStore(place);
  if (place.databaseUrl === null) return pgliteStore(await openPglite(place.dataDir), { upTo: null });
  return postgresStore(place.databaseUrl, log, { upTo: null });
}

/** Throws `store_unavailable` where there is no store, before anything would make one. */
export async function requireStore(place: StorePlace): Promise<void> {
  if ((await findStore(place)) === undefined)
    throw new UserError("store_unavailable", "There is no store yet, so there is nothing to copy.");
}

/** What of a store is at that place, in words; undefined where there is nothing. */
export async function findStore({ dataDir, databaseUrl }: StorePlace): Promise<string | undefined> {
  if (databaseUrl === null) return existsSync(dataDir) ? dataDir : undefined;
  return onServer(databaseUrl, async (client) => {
    const found = await client.query("select 1 from pg_tables where schemaname = $1 limit 1", [ownSchema]);
    return found.rowCount === 0 ? undefined : `the schema ${ownSchema} of ${nameOf(databaseUrl)}`;
  });
}

/** Stops where somebody works on that PostgreSQL. Throws `daemon_running` with who. */
export async function requireNoWorkers({ databaseUrl }: StorePlace): Promise<void> {
  if (databaseUrl === null) return;
  const live = await onServer(databaseUrl, async (client) => {
    const { rows } = await client.query<{ there: boolean }>("select to_regclass('workers') is not null as there");
    if (rows[0]?.there !== true) return [];
    const found = await client.query<{ host: string; pid: number }>(
      "select host, pid from workers where state <> 'gone' and heartbeat_at > now() - interval '15 seconds' order by 1, 2",
    );
    return found.rows;
  });
  if (live.length === 0) return;
  const who = live.map(({ host, pid }) => `${host} (pid ${pid})`).join(", ");
  throw new UserError("daemon_running", `Somebody works on ${nameOf(databaseUrl)}: ${who}.`, {
    next: "stop them, and try again; one that was killed is forgotten after 15 seconds",
  });
}

/** Without user and password. */
function nameOf(databaseUrl: string): string {
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname}`;
}

/**
 * Opens an empty store beside the one of that place, of the shape of an earlier migration where one is named. What an earlier,
 * unfinished restore left there is deleted.
 */
export async function openStagedStore(
  { dataDir, databaseUrl }: StorePlace,
  { log, upTo }: Readonly<{ log: Log; upTo?: string | undefined }>,
): Promise<Store> {
  await discardStagedStore({ dataDir, databaseUrl });
  if (databaseUrl === null) return pgliteStore(await openPglite(stagedFolder(dataDir)), { upTo });
  return postgresStore(databaseUrl, log, { schema: stagedSchema, upTo });
}

/** Deletes a staged store that will not be used. */
export async function discardStagedStore({ dataDir, databaseUrl }: StorePlace): Promise<void> {
  if (databaseUrl === null) rmSync(stagedFolder(dataDir), { recursive: true, force: true });
  else await onServer(databaseUrl, (client) => client.query(`drop schema if exists ${stagedSchema} cascade`));
}

/**
 * Puts the staged store in the place of the one in use, which is kept: as the folder `aside`, or as a schema that ends with that
 * folder's name. Done once, however often it is called. Tells where the old one is, undefined where there was none.
 */
export async function useStagedStore({ dataDir, databaseUrl }: StorePlace, aside: string): Promise<string | undefined> {
  const stamp = aside
    .replace(/^.*[\\/]/, "")
    .replace(/[^a-z0-9]+/gi, "_")
    .toLowerCase();
  if (databaseUrl !== null) return onServer(databaseUrl, (client) => swapSchemas(client, `${ownSchema}_${stamp}`));
  const old = join(aside, "data");
  if (!existsSync(stagedFolder(dataDir))) return existsSync(old) ? old : undefined;
  if (existsSync(dataDir)) {
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    renameSync(dataDir, old);
  }
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
  try {
    await client.connect();
  } catch (cause) {
    throw new UserError(
      "store_unavailable",
      `PostgreSQL at ${nameOf(databaseUrl)} does not answer: ${messageOf(cause)}`,
      {
        next: "check DATABASE_URL and that the server runs",
        cause,
      },
    );
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function stagedFolder(dataDir: string): string {
  return `${dataDir}.restoring`;
}
