import type { Kysely } from "kysely";

/** Which machine's folder a job's file is in, so that only its daemon can miss it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("jobs").addColumn("folder", "text").execute();
}
