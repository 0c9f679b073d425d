import type { AgentsDeps } from "../agents/agents-deps.ts";
import { spawnAgent } from "../agents/spawn-agent.ts";
import { agentOrder, endAgent, lookAtAgent } from "./agent-runner.ts";
import type { Catalogue } from "./catalogue.ts";
import { decomposePrompt, decomposeSchema, readDecomposition } from "./decompose.ts";
import { readHistory } from "./node-error.ts";
import type { NodeRunner } from "./node-runner.ts";

/** The role that turns goals into nodes. */
export const plannerRole = "planner";

type Deps = AgentsDeps & Readonly<{ catalogue: () => Promise<Catalogue>; maxNodes: number }>;

/** The planner's own node: a model splits up the goal, and is told what was wrong where its answer cannot be used. */
export function decomposeRunner(deps: Deps): NodeRunner {
  return {
    async start(order) {
      const { plan, node } = order;
      const last = readHistory(node.history).at(-1)?.error;
      const prompt = decomposePrompt({
        goal: plan.goal,
        catalogue: await deps.catalogue(),
        maxNodes: deps.maxNodes,
        problem: last?.reason === "plan_invalid" ? last.message : null,
      });
      const own = { role: plannerRole, title: "decompose the goal", prompt, schema: decomposeSchema };
      return { agentId: (await spawnAgent(deps, agentOrder(order, own))).id };
    },
    async look(node, { plan }) {
      const outcome = await lookAtAgent(deps, node);
      if (outcome.state !== "succeeded") return outcome;
      const { maxNodes } = deps;
      const read = readDecomposition(outcome.output, { catalogue: await deps.catalogue(), maxNodes, goal: plan.goal });
      if (read.ok) return { ...outcome, decomposed: read.nodes };
      const error = { reason: "plan_invalid", class: "transient", message: read.problem } as const;
      return { state: "failed", error, usage: outcome.usage };
    },
    cancel: (node, by) => endAgent(deps, node, by),
  };
}
