import { type Kysely, sql } from "kysely";

const statements = [
  `alter table alerts add column first_message text, add column untold integer not null default 0,
    add column untold_at timestamptz, add column told integer not null default 0, add column tell_at timestamptz`,
  `update alerts set first_message = message`,
  `alter table alerts alter column first_message set not null`,
  `update alerts set untold = count, untold_at = first_at where resolved_at is null`,
  // Nearly always empty: what a sender still has to tell.
  `create index alerts_to_tell on alerts (key) where untold > 0 or (told > 0 and resolved_at is not null)`,
  `create table alert_lines (
    id bigint generated always as identity primary key, target text not null, text text not null,
    recovery boolean not null, created_at timestamptz not null, held_until timestamptz)`,
  `create index alert_lines_by_target on alert_lines (target, id)`,
  `alter table runs add column dead boolean not null default false, add column redrive_of bigint,
    add column redriven_as bigint`,
  `create index runs_dead on runs (job, id) where dead`,
  `update runs set dead = true where finished_at is not null
    and state in ('failed', 'timed_out', 'out_of_memory', 'crashed', 'denied')
    and job in (select name from jobs where state <> 'retired')
    and not exists (select 1 from runs later where later.job = runs.job and later.schedule_key = runs.schedule_key
      and later.slot > runs.slot and later.state = 'succeeded')`,
];

/** Alerts that are sent, and runs that failed for good until somebody has dealt with them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
