import { type Kysely, sql } from "kysely";

const statements = [
  // A lease fences every write of a claim, so that a crash can go on with the attempt that it cut off.
  `alter table runs add column lease integer not null default 0, add column resumes boolean not null default false,
    add column lost integer not null default 0, add column parent_run bigint`,
  `update runs set lease = attempt`,
  `drop index runs_queued`,
  `drop index runs_running`,
  `create index runs_due on runs (run_at, priority desc, id) where state in ('queued', 'suspended')`,
  `create index runs_live on runs (job, heartbeat_at) where state in ('running', 'suspended')`,
  `create index runs_by_parent on runs (parent_run) where parent_run is not null`,
  `create index runs_by_start on runs (job, started_at) where started_at is not null`,
  `alter table attempts add column resumed integer not null default 0, add column active_ms bigint not null default 0`,
  `alter table journal alter column args drop not null, add column args_hash text references blobs (hash), add column progress text`,
  `create index journal_by_args on journal (args_hash) where args_hash is not null`,
  `create table questions (
    run_id bigint not null, attempt integer not null, seq integer not null, kind text not null, question text not null,
    schema text not null, choices text, fallback text, asked_at timestamptz not null, deadline timestamptz,
    answer text, answered_at timestamptz, answered_by text,
    primary key (run_id, attempt, seq, kind),
    foreign key (run_id, attempt) references attempts (run_id, attempt) on delete cascade)`,
  `create index questions_open on questions (run_id) where answered_at is null`,
  `create table artifacts (
    run_id bigint not null references runs (id) on delete cascade, name text not null, attempt integer not null,
    sha256 text not null, bytes bigint not null, media_type text not null, created_at timestamptz not null,
    primary key (run_id, name))`,
  `alter table versions add column rehearsal text`,
];

/** Attempts that go on after a crash, runs that sleep or ask, artifacts, and what a rehearsal found. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
