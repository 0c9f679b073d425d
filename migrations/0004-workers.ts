import { type Kysely, sql } from "kysely";

const statements = [
  `create table workers (
    name text primary key, host text not null, home text not null, pid integer not null, version text not null,
    role text not null, labels text not null, max integer not null, running integer not null, state text not null,
    guest_runtimes text not null, v8 text not null, icu text not null, problem text, unserved text not null,
    started_at timestamptz not null, heartbeat_at timestamptz not null, lost_at timestamptz)`,
];

/** Who executes runs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
