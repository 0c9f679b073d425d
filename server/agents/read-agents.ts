import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { AgentState, Row } from "../store/tables.ts";
import { formatAgentId, parseAgentId } from "./agent-id.ts";

/** Whether nothing more happens with an agent of that state. */
export function isAgentFinal(state: AgentState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** The agent of a handle (`A7`, 7). Throws invalid_argument and agent_not_found. */
export async function requireAgent(db: Db, handle: string | number): Promise<Row<"agents">> {
  const id = parseAgentId(handle);
  const agent = await db.selectFrom("agents").selectAll().where("id", "=", id).executeTakeFirst();
  if (agent !== undefined) return agent;
  throw new UserError("agent_not_found", `There is no agent ${formatAgentId(id)}.`, { next: "agent_read {}" });
}

export type AgentFilter = Readonly<{
  state?: AgentState | readonly AgentState[] | undefined;
  role?: string | undefined;
  planId?: number | undefined;
  taskId?: number | undefined;
  parentAgent?: number | undefined;
  limit: number;
  /** An agent's handle: only older ones follow. */
  cursor?: string | null | undefined;
}>;

/** Agents, latest first. `cursor` continues the list, and is null at its end. */
export async function listAgents(
  db: Db,
  { state, role, planId, taskId, parentAgent, limit, cursor }: AgentFilter,
): Promise<{ rows: Row<"agents">[]; cursor: string | null }> {
  let query = db
    .selectFrom("agents")
    .selectAll()
    .orderBy("id", "desc")
    .limit(limit + 1);
  if (state !== undefined) query = query.where("state", "in", typeof state === "string" ? [state] : state);
  if (role !== undefined) query = query.where("role", "=", role);
  if (planId !== undefined) query = query.where("plan_id", "=", planId);
  if (taskId !== undefined) query = query.where("task_id", "=", taskId);
  if (parentAgent !== undefined) query = query.where("parent_agent", "=", parentAgent);
  if (cursor) query = query.where("id", "<", parseAgentId(cursor));
  const found = await query.execute();
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, cursor: found.length > limit && last !== undefined ? formatAgentId(last.id) : null };
}

/** Steps of an agent in order: all of them, or the last `tail`. */
export async function readSteps(
  db: Db,
  { agentId, tail }: Readonly<{ agentId: number; tail?: number | undefined }>,
): Promise<Row<"agent_steps">[]> {
  let query = db.selectFrom("agent_steps").selectAll().where("agent_id", "=", agentId).orderBy("n", "desc");
  if (tail !== undefined) query = query.limit(tail);
  return (await query.execute()).reverse();
}
