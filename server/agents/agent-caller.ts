import type { Row } from "../store/tables.ts";
import { formatAgentId } from "./agent-id.ts";

/** An agent of ours as the caller of a tool: who it is, and what its signed role lets it start. */
export type AgentCaller = Readonly<{
  id: number;
  role: string;
  /** Approved jobs that its role names. */
  jobs: readonly string[];
  depth: number;
  /** Levels of further agents that it may start. */
  depthLeft: number;
  planId: number | null;
  taskId: number | null;
  folder: string | null;
  traceId: string;
}>;

/** An agent as it is recorded on tasks, runs and events, such as `agent A7 (researcher)`. */
export function agentLabel({ id, role }: Pick<Row<"agents">, "id" | "role">): string {
  return `agent ${formatAgentId(id)} (${role})`;
}
