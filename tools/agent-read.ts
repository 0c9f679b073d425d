import { z } from "zod";
import { formatAgentId } from "../server/agents/agent-id.ts";
import { agentErrorText, agentHead, dollarText, stepText, usedText } from "../server/agents/agent-text.ts";
import { modelText } from "../server/agents/model-text.ts";
import { isAgentFinal, listAgents, readSteps, requireAgent } from "../server/agents/read-agents.ts";
import { readUsage } from "../server/agents/read-usage.ts";
import { rankRole } from "../server/agents/routing/rank-role.ts";
import { waitForAgent } from "../server/agents/wait-for-agent.ts";
import { requireDefinition } from "../server/definitions/read-definitions.ts";
import { formatMs, formatTime } from "../server/format-time.ts";
import type { Row } from "../server/store/tables.ts";
import { cursor, limit, waitSeconds } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { inline, untrusted } from "./fence.ts";
import { foldEnd, foldStart } from "./fold.ts";
import type { ToolContext } from "./tool-context.ts";

const usageDays = 30;

export const agentRead = defineTool({
  name: "agent_read",
  title: "Read or list agents",
  description:
    "One agent: summary (state, answer, error), output (the whole answer) or steps (every model call, tool call, verdict and change of model). Without agent lists them, latest first. usage: tokens and money by role and model. With role and usage: how its models rank. wait_seconds waits for its end first.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    agent: z
      .union([z.string().max(20), z.int().min(1)])
      .describe("such as A7")
      .optional(),
    part: z.enum(["summary", "output", "steps", "usage"]).default("summary"),
    role: z.string().max(100).optional(),
    state: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]).optional(),
    tail: z.int().min(1).max(200).describe("steps from the end").default(30),
    limit,
    cursor,
    wait_seconds: waitSeconds,
  }),
  async handle(context, { agent: handle, part, role, state, tail, limit, cursor, wait_seconds }) {
    if (handle === undefined) {
      if (part === "usage") return role === undefined ? usageText(context) : rankingText(context, role);
      return listText(context, { role, state, limit, cursor });
    }
    const found = await requireAgent(context.store.db, handle);
    const agent =
      wait_seconds === undefined
        ? found
        : await waitForAgent(context, found.id, { waitSeconds: wait_seconds, signal: context.signal });
    switch (part) {
      case "summary":
        return `${agentSummary(context, agent)}\n\n${nextForAgent(agent)}`;
      case "output":
        return outputText(agent);
      case "steps":
        return stepsText(context, agent, tail);
      case "usage":
        return `${formatAgentId(agent.id)}: ${usedText(agent)}.`;
      default:
        return part satisfies never;
    }
  },
});

/** An agent as agent_spawn and agent_read show it. */
export function agentSummary({ config }: ToolContext, agent: Row<"agents">): string {
  const error = agentErrorText(agent);
  const { started_at, finished_at } = agent;
  return [
    `# ${agentHead(agent)}`,
    `- ${inline(agent.title, 200)}`,
    `- asked for by ${inline(agent.requested_by)} at ${formatTime(agent.created_at, config.timezone)}`,
    ...(started_at === null || finished_at === null
      ? []
      : [`- took ${formatMs(finished_at.getTime() - started_at.getTime())}; ${usedText(agent)}`]),
    ...(agent.cancel_requested_by === null ? [] : [`- cancelled by ${inline(agent.cancel_requested_by)}`]),
    ...(error === undefined ? [] : ["", untrusted("Error", error)]),
    ...(agent.output === null
      ? []
      : ["", untrusted("Answer", foldEnd(agent.output, 'part "output" has more', 12_000))]),
  ].join("\n");
}

/** What to call next, by the state that the agent is in. */
export function nextForAgent(agent: Row<"agents">): string {
  const handle = formatAgentId(agent.id);
  if (!isAgentFinal(agent.state))
    return `Next: agent_read {"agent": "${handle}", "wait_seconds": 50} waits for its end.`;
  return `More: agent_read {"agent": "${handle}", "part": "steps"}.`;
}

function outputText(agent: Row<"agents">): string {
  const handle = formatAgentId(agent.id);
  if (agent.output === null) return `${handle} (${agent.state}) has no answer. ${nextForAgent(agent)}`;
  return `${handle} ${agent.state}\n\n${untrusted("Answer", foldEnd(agent.output, "let its task ask for less"))}`;
}

async function stepsText({ store }: ToolContext, agent: Row<"agents">, tail: number): Promise<string> {
  const steps = await readSteps(store.db, { agentId: agent.id, tail });
  if (steps.length === 0) return `${agentHead(agent)}\n\nIt has done nothing yet. ${nextForAgent(agent)}`;
  const text = steps.map((step) => stepText(step)).join("\n");
  return `${agentHead(agent)}\n\n${untrusted("Steps", foldStart(text, "ask for fewer with tail"))}`;
}

type Filter = Pick<Parameters<typeof listAgents>[1], "role" | "state" | "limit" | "cursor">;

async function listText({ store }: ToolContext, filter: Filter): Promise<string> {
  const page = await listAgents(store.db, filter);
  if (page.rows.length === 0) return "No agents. Start one with agent_spawn.";
  const lines = page.rows.map((agent) => {
    const error = agentErrorText(agent);
    return `- ${agentHead(agent)}: ${inline(agent.title, 100)}${error === undefined ? "" : ` · ${inline(error, 120)}`}`;
  });
  return `${lines.join("\n")}${page.cursor === null ? "" : `\n\nMore: agent_read with cursor "${page.cursor}".`}`;
}

async function usageText({ store, config }: ToolContext): Promise<string> {
  const { lines, cloud } = await readUsage(store.db, { days: usageDays, budget: config.agents.budget });
  const budget = cloud.usd_per_day === null ? "no limit" : `of ${dollarText(cloud.usd_per_day * 1e6)}`;
  return [
    `Cloud models within 24 hours: ${dollarText(cloud.cost_microusd)} (${budget}), ${cloud.tokens} tokens.`,
    `Within ${usageDays} days:`,
    ...lines.map(
      ({ role, provider, model, calls, tokens, cost_microusd }) =>
        `- ${inline(role)} on ${inline(`${provider} ${model}`)}: ${calls} calls, ${tokens} tokens, ${dollarText(cost_microusd)}`,
    ),
  ].join("\n");
}

async function rankingText({ store, approvals, config }: ToolContext, role: string): Promise<string> {
  const { manifest } = await requireDefinition({ store, approvals }, "role", role);
  const ranked = await rankRole(store.db, config.agents, { name: role, manifest, urgency: "normal" });
  const lines = ranked.map(({ complexity, models }) => {
    const each = models.map(
      ({ choice, acceptance, tries, enabled }) =>
        `${modelText(choice)} (${Math.round(acceptance * 100)} % of ${tries} tries${enabled ? "" : ", not enabled"})`,
    );
    return `- ${complexity}: ${each.join(", then ")}`;
  });
  return `Models of ${role}, by complexity of the task, in the order in which they are asked:\n${lines.join("\n")}`;
}
