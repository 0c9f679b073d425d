import { type Kysely, sql } from "kysely";

const statements = [
  `create table definitions (
    kind text not null, name text not null, number integer not null, state text not null,
    source_hash text not null, bundle_hash text not null references blobs (hash), manifest_hash text not null,
    manifest text not null, snapshot text not null, compiler text not null, runtime text not null,
    proposed_by text not null, note text, rejected_note text, created_at timestamptz not null default now(),
    primary key (kind, name, number))`,
  `create table definition_files (
    kind text not null, name text not null, origin text not null, path text, folder text not null,
    updated_at timestamptz not null default now(), primary key (kind, name))`,
];

/** Roles, skills, MCP servers and commands: their versions, and where each stands on disk. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
