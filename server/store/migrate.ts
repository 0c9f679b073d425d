import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import * as first from "../../migrations/0001-first.ts";
import * as durableRuns from "../../migrations/0002-durable-runs.ts";
import * as triggers from "../../migrations/0003-triggers.ts";
import * as workers from "../../migrations/0004-workers.ts";
import * as alerts from "../../migrations/0005-alerts.ts";
import * as growth from "../../migrations/0006-growth.ts";
import * as jobFolders from "../../migrations/0007-job-folders.ts";
import * as tasks from "../../migrations/0008-tasks.ts";
import * as definitions from "../../migrations/0009-definitions.ts";
import * as agents from "../../migrations/0010-agents.ts";
import * as plans from "../../migrations/0011-plans.ts";
import * as taskLinks from "../../migrations/0012-task-links.ts";
import { storeIsNewer } from "./store-is-newer.ts";
import type { Tables } from "./tables.ts";

/** Every migration in the order in which it runs. A released one never changes. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001-first": first,
  "0002-durable-runs": durableRuns,
  "0003-triggers": triggers,
  "0004-workers": workers,
  "0005-alerts": alerts,
  "0006-growth": growth,
  "0007-job-folders": jobFolders,
  "0008-tasks": tasks,
  "0009-definitions": definitions,
  "0010-agents": agents,
  "0011-plans": plans,
  "0012-task-links": taskLinks,
};

/** The last migration that this program knows. */
export const newestMigration = Object.keys(migrations).sort().at(-1) ?? "";

/**
 * Brings the database to this program's shape, or to that of an earlier migration; several that start at once wait for each other
 * (advisory lock). Throws `store_newer` where a newer release has been there.
 */
export async function migrate(db: Kysely<Tables>, upTo: string = newestMigration): Promise<void> {
  await refuseNewer(db);
  const { rows } = await sql<{ schema: string }>`select current_schema() as schema`.execute(db);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    // Else one that another program keeps in a schema of its own would pass for ours.
    migrationTableSchema: rows[0]?.schema ?? "public",
  });
  const { error } = await migrator.migrateTo(upTo);
  if (!error) return;
  // One that started at the same moment may have been newer.
  await refuseNewer(db);
  throw error;
}

/** The migrations that the database has had, in order. */
export async function appliedMigrations(db: Kysely<Tables>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}

/** The newest migration that a newer program has made; undefined where there is none. */
export async function findNewerMigration(db: Kysely<Tables>): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`
    select name from kysely_migration where name > ${newestMigration} order by name desc limit 1`.execute(db);
  return rows[0]?.name;
}

async function refuseNewer(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ there: boolean }>`
    select to_regclass('kysely_migration') is not null as there`.execute(db);
  if (rows[0]?.there !== true) return;
  const newer = await findNewerMigration(db);
  if (newer !== undefined) throw storeIsNewer(newer);
}
