import { type Kysely, sql } from "kysely";

const statements = [
  // Nearly every finished run has succeeded: what is listed by any other state is found without reading them.
  `create index runs_by_state on runs (state, id desc) where state <> 'succeeded'`,
  // In the order of the claim, so that it reads the runs that it takes, and not all that wait.
  `create index runs_to_claim on runs (priority desc, run_at, id) where state in ('queued', 'suspended')`,
  `create index jobs_inactive on jobs (name) where state <> 'active'`,
  `create index versions_pending on versions (job, number) where state = 'pending'`,
  `create index versions_by_bundle on versions (bundle_hash)`,
  `create index versions_by_source_map on versions (source_map_hash) where source_map_hash is not null`,
  `create index skipped_slots_by_last on skipped_slots (last_slot desc)`,
];

/** Indexes that keep lists, claims and retention fast at many jobs and a long history. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
