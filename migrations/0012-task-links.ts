import { type Kysely, sql } from "kysely";

const statements = [
  `create table task_links (
    task_id bigint primary key references tasks (id) on delete cascade, repo text not null, number integer,
    marker text not null unique, sent_at timestamptz, base text, created_at timestamptz not null default now(),
    unique (repo, number))`,
  `create table task_repos (
    repo text primary key, since timestamptz, etag text, etag_for text, synced_at timestamptz, problem text,
    failures integer not null default 0, wait_until timestamptz, held_until timestamptz)`,
];

/** Which tasks are issues elsewhere, and how far each repository was read. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
