import { type Kysely, sql } from "kysely";

const statements = [
  `create table plans (
    id bigint generated always as identity primary key, goal text not null, state text not null, hold boolean not null,
    caps text not null, urgency text not null, complexity text not null, task_id bigint, error text,
    lease integer not null default 0, lease_owner text, heartbeat_at timestamptz, ran_ms bigint not null default 0,
    running_since timestamptz, origin text not null, requested_by text not null, trace_id text not null,
    created_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz)`,
  // Few plans are under way, however many the history holds.
  `create index plans_live on plans (id) where state in ('planning', 'running', 'stopping', 'cancelling')`,
  `create table plan_nodes (
    plan_id bigint not null references plans (id) on delete cascade, key text not null, position integer not null,
    level integer not null, kind text not null, spec text not null, optional boolean not null, state text not null,
    attempt integer not null default 0, tries integer not null default 0, next_try_at timestamptz,
    task_id bigint, agent_id bigint, run_id bigint, output text, error text, history text not null,
    started_at timestamptz, finished_at timestamptz, primary key (plan_id, key))`,
  `create table plan_artifacts (
    plan_id bigint not null, node text not null, name text not null, attempt integer not null, media_type text not null,
    bytes bigint not null, sha256 text not null, host text not null, created_at timestamptz not null,
    primary key (plan_id, node, name),
    foreign key (plan_id, node) references plan_nodes (plan_id, key) on delete cascade)`,
];

/** Goals that were split up, the nodes of their graphs, and what these left behind. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
