import type { AgentOrder } from "../agents/agent-order.ts";
import type { AgentsDeps } from "../agents/agents-deps.ts";
import { cancelAgent } from "../agents/cancel-agent.ts";
import { requireAgent } from "../agents/read-agents.ts";
import { spawnAgent } from "../agents/spawn-agent.ts";
import { UserError } from "../errors.ts";
import type { Row } from "../store/tables.ts";
import { readNodeError } from "./node-error.ts";
import { type CutInput, nodePrompt } from "./node-prompt.ts";
import type { NodeOrder, NodeOutcome, NodeRunner, NodeUsage } from "./node-runner.ts";
import { inputsFolder, makeSubfolder, saveFile } from "./plan-folder.ts";
import type { AgentNode } from "./plan-spec.ts";

/** What every agent of a plan is asked for with. */
export function agentOrder(
  { plan, node, dedupeKey, folder }: NodeOrder,
  own: Pick<AgentOrder, "role" | "prompt"> &
    Partial<Pick<AgentOrder, "title" | "models" | "schema" | "oracle" | "limits">>,
): AgentOrder {
  return {
    ...own,
    taskId: node.task_id ?? undefined,
    planId: plan.id,
    node: node.key,
    depth: 0,
    urgency: plan.urgency,
    complexity: plan.complexity,
    folder,
    dedupeKey,
    requestedBy: plan.requested_by,
    traceId: plan.trace_id,
  };
}

/** Nodes that a model works on, in a role. */
export function agentRunner(deps: AgentsDeps): NodeRunner {
  return {
    async start(order) {
      const { spec, plan, outputs, folder } = order;
      if (spec.kind !== "agent" && spec.kind !== "merge") throw new Error(`no agent: ${spec.kind}`);
      const { text, cut } = nodePrompt({ goal: plan.goal, needs: spec.needs, prompt: spec.prompt, outputs });
      await saveInputs(folder, cut);
      const agent = await spawnAgent(deps, agentOrder(order, { ...ofSpec(spec), prompt: text }));
      return { agentId: agent.id };
    },
    look: (node) => lookAtAgent(deps, node),
    cancel: (node, by) => endAgent(deps, node, by),
  };
}

function ofSpec({ key, title, role, schema, oracle, models, limits }: AgentNode) {
  return { role, title: title ?? key, schema, oracle, models, limits };
}

async function saveInputs(folder: string, cut: readonly CutInput[]): Promise<void> {
  if (cut.length === 0) return;
  const inputs = await makeSubfolder(folder, inputsFolder);
  for (const { name, text } of cut) await saveFile(inputs, name, text);
}

/** How the agent of a try stands. */
export async function lookAtAgent({ store }: Pick<AgentsDeps, "store">, node: Row<"plan_nodes">): Promise<NodeOutcome> {
  const agent = await requireAgent(store.db, node.agent_id ?? 0);
  const usage: NodeUsage = {
    provider: agent.provider,
    model: agent.model,
    tokens: agent.tokens_in + agent.tokens_out,
    costMicroUsd: agent.cost_microusd,
  };
  switch (agent.state) {
    case "queued":
    case "running":
      return { state: "running" };
    case "succeeded":
      return { state: "succeeded", output: agent.output ?? "", usage };
    case "cancelled":
      return { state: "cancelled", usage };
    case "failed": {
      const error = readNodeError(agent.error) ?? { reason: "unknown", class: "permanent", message: "it failed" };
      return { state: "failed", error, usage };
    }
    default:
      return agent.state satisfies never;
  }
}

/** Cancels the agent of a try, where it has one that has not ended. */
export async function endAgent(
  { store }: Pick<AgentsDeps, "store">,
  node: Row<"plan_nodes">,
  by: string,
): Promise<void> {
  if (node.agent_id === null) return;
  try {
    const { cancel_requested_at: asked } = await requireAgent(store.db, node.agent_id);
    if (asked === null) await cancelAgent(store.db, { id: node.agent_id, by });
  } catch (thrown) {
    if (!(thrown instanceof UserError && thrown.code === "agent_not_active")) throw thrown;
  }
}
