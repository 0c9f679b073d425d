import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import * as first from "../../migrations/0001-first.ts";
import * as durableRuns from "../../migrations/0002-durable-runs.ts";
import type { Tables } from "./tables.ts";

/** Every migration in the order in which it runs. A released one never changes. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001-first": first,
  "0002-durable-runs": durableRuns,
};

/** Brings the database to this program's shape; several that start at once wait for each other (advisory lock). */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
