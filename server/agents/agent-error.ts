import { z } from "zod";

/** Every reason why an agent fails, or a model is given up; stable, and told in docs/agents.md. */
export const agentReason = z.enum([
  "refused",
  "unusable",
  "turns",
  "tool_calls",
  "loop",
  "context",
  "timeout",
  "budget",
  "model_missing",
  "model_unavailable",
  "model_failed",
  "provider_missing",
  "not_approved",
  "tools",
  "lost",
  "internal",
]);

/** Why an agent failed. `class` says whether trying again can help: `permanent` and `policy` cannot. */
export const agentErrorSchema = z.object({
  reason: agentReason,
  class: z.enum(["transient", "permanent", "timeout", "policy", "budget"]),
  message: z.string(),
});
export type AgentError = z.infer<typeof agentErrorSchema>;

/** The AgentError in the `error` column of an agent; null where there is none. */
export function readAgentError(column: string | null): AgentError | null {
  return column === null ? null : agentErrorSchema.parse(JSON.parse(column));
}
