import { type Kysely, sql } from "kysely";

const statements = [
  `alter table schedules add column priority integer not null default 0`,
  // Apart from runs, since an event can be as long as a request's body and lists of runs do not need it.
  `create table run_events (run_id bigint primary key references runs (id) on delete cascade, event text not null)`,
  `create table after_triggers (
    job text not null references jobs (name), source text not null, ends text not null, version integer not null,
    priority integer not null, concurrency integer, primary key (job, source))`,
  `create index after_triggers_by_source on after_triggers (source)`,
  `create table webhooks (
    job text primary key references jobs (name), token_hash text not null,
    created_at timestamptz not null default now(), used_at timestamptz)`,
  `create table file_watches (
    job text not null references jobs (name), host text not null, roots text not null, files text not null,
    seen_at timestamptz not null, primary key (job, host))`,
];

/** What starts jobs besides schedules: other jobs, changed files, webhooks. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
