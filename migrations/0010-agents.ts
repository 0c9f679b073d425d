import { type Kysely, sql } from "kysely";

const statements = [
  `create table agents (
    id bigint generated always as identity primary key, role text not null, role_version integer, title text not null,
    state text not null, prompt text not null, folder text, models text, schema text, oracle text, limits text not null,
    urgency text not null, complexity text not null, task_id bigint, plan_id bigint, node text, parent_agent bigint,
    parent_run bigint, depth integer not null, dedupe_key text unique, output text, error text, provider text, model text,
    tokens_in bigint not null default 0, tokens_out bigint not null default 0, cost_microusd bigint not null default 0,
    reserved_tokens bigint not null default 0, reserved_microusd bigint not null default 0,
    turns integer not null default 0, tool_calls integer not null default 0, attempt integer not null default 0,
    lease integer not null default 0, lease_owner text, heartbeat_at timestamptz, active_ms bigint not null default 0,
    lost integer not null default 0, run_at timestamptz not null default now(),
    cancel_requested_at timestamptz, cancel_requested_by text, trace_id text not null, requested_by text not null,
    created_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz)`,
  // Only live agents are in these two, so that claiming stays fast whatever the history holds.
  `create index agents_to_claim on agents (run_at, id) where state = 'queued'`,
  `create index agents_running on agents (heartbeat_at) where state = 'running'`,
  `create index agents_by_plan on agents (plan_id, id) where plan_id is not null`,
  `create index agents_by_parent on agents (parent_agent, id) where parent_agent is not null`,
  `create index agents_by_run on agents (parent_run) where parent_run is not null`,
  `create index agents_by_finish on agents (finished_at) where finished_at is not null`,
  `create table agent_steps (
    agent_id bigint not null references agents (id) on delete cascade, n integer not null, attempt integer not null,
    kind text not null, state text not null, name text, request text not null, result text, ok boolean,
    provider text, model text, tokens_in bigint not null default 0, tokens_out bigint not null default 0,
    cost_microusd bigint not null default 0, reserved_tokens bigint not null default 0,
    reserved_microusd bigint not null default 0, started_at timestamptz not null, ended_at timestamptz,
    primary key (agent_id, n))`,
  // What cloud models cost today is added up from here.
  `create index agent_steps_paid on agent_steps (started_at) where kind = 'model' and provider <> 'ollama'`,
  `create table model_stats (
    role text not null, provider text not null, model text not null, complexity text not null,
    accepted integer not null default 0, refused integer not null default 0, failed integer not null default 0,
    calls integer not null default 0, errors integer not null default 0, tokens_in bigint not null default 0,
    tokens_out bigint not null default 0, cost_microusd bigint not null default 0, busy_ms bigint not null default 0,
    updated_at timestamptz not null default now(), primary key (role, provider, model, complexity))`,
];

/** Agents, what each of them did step by step, and how models do in each role. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
