import { type Kysely, sql } from "kysely";

const statements = [
  `create table jobs (
    name text primary key, state text not null, paused_by text, paused_reason text, paused_at timestamptz,
    path text, created_at timestamptz not null default now(), updated_at timestamptz not null default now())`,
  `create table blobs (hash text primary key, bytes bytea not null, created_at timestamptz not null default now())`,
  `create table versions (
    job text not null references jobs (name), number integer not null, state text not null,
    source_hash text not null, bundle_hash text not null references blobs (hash), manifest_hash text not null,
    source_map_hash text references blobs (hash), manifest text not null, snapshot text not null, packages text not null,
    checks text not null, compiler text not null, runtime text not null, proposed_by text not null,
    note text, rejected_note text, created_at timestamptz not null default now(), primary key (job, number))`,
  `create table decisions (
    seq bigint generated always as identity primary key, kind text not null, name text not null, version integer,
    decision text not null, text text not null, signature text not null, key_id text not null,
    hash text not null unique, previous text not null unique, created_at timestamptz not null default now())`,
  `create table runs (
    id bigint generated always as identity primary key, job text not null references jobs (name), version integer,
    trigger text not null, schedule_key text, slot timestamptz, input text, dedupe_key text, state text not null,
    priority integer not null default 0, run_at timestamptz not null, concurrency integer, start_by timestamptz,
    attempt integer not null default 0,
    lease_owner text, heartbeat_at timestamptz, cancel_requested_at timestamptz, cancel_requested_by text,
    output text, error text, trace_id text not null, requested_by text not null,
    created_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz,
    unique (job, schedule_key, slot), unique (job, dedupe_key))`,
  // Only live runs are in these two, so that claiming stays fast whatever the history holds.
  `create index runs_queued on runs (run_at, priority desc, id) where state = 'queued'`,
  `create index runs_running on runs (job, heartbeat_at) where state = 'running'`,
  `create index runs_by_job on runs (job, id desc)`,
  `create index runs_by_finish on runs (finished_at) where finished_at is not null`,
  `create table attempts (
    run_id bigint not null references runs (id) on delete cascade, attempt integer not null, version integer,
    worker text not null, seed text not null, start_ms bigint not null, guest_runtime text, v8 text, icu text,
    state text not null, error text, started_at timestamptz not null default now(), ended_at timestamptz,
    primary key (run_id, attempt))`,
  `create table journal (
    run_id bigint not null, attempt integer not null, seq integer not null, op text not null, args text not null,
    safe boolean not null, state text not null, outcome text, result text, result_hash text references blobs (hash),
    delivered integer, guest_ms bigint, started_at timestamptz not null, ended_at timestamptz,
    primary key (run_id, attempt, seq),
    foreign key (run_id, attempt) references attempts (run_id, attempt) on delete cascade)`,
  // Deleting a blob looks here for references.
  `create index journal_by_result on journal (result_hash) where result_hash is not null`,
  `create table run_logs (
    run_id bigint not null, attempt integer not null, n integer not null, level text not null, text text not null,
    at timestamptz not null, primary key (run_id, attempt, n),
    foreign key (run_id, attempt) references attempts (run_id, attempt) on delete cascade)`,
  `create table kv (
    job text not null references jobs (name), key text not null, value text not null, revision bigint not null,
    updated_at timestamptz not null, primary key (job, key))`,
  `create table schedules (
    job text not null references jobs (name), key text not null, version integer not null, spec text not null,
    next_slot timestamptz, primary key (job, key))`,
  `create index schedules_due on schedules (next_slot) where next_slot is not null`,
  `create table skipped_slots (
    job text not null references jobs (name), schedule_key text not null, slot timestamptz not null,
    last_slot timestamptz not null, slots integer, outcome text not null, reason text not null, at timestamptz not null default now(),
    primary key (job, schedule_key, slot))`,
  `create table events (
    id bigint generated always as identity primary key, at timestamptz not null default now(), kind text not null,
    actor text not null, subject text not null, detail text not null, trace_id text)`,
  `create index events_by_subject on events (subject, id desc)`,
  `create table alerts (
    key text primary key, message text not null, count integer not null, run_id bigint,
    first_at timestamptz not null, last_at timestamptz not null, resolved_at timestamptz)`,
];

/** The tables of the main job. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
