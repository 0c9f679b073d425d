import { z } from "zod";
import { agentLabel } from "../server/agents/agent-caller.ts";
import { formatAgentId } from "../server/agents/agent-id.ts";
import { jsonSchema, limitsSchema, oracleSchema } from "../server/agents/agent-order.ts";
import { cancelAgent } from "../server/agents/cancel-agent.ts";
import { parseModel } from "../server/agents/parse-model.ts";
import { requireAgent } from "../server/agents/read-agents.ts";
import { agentsDeps } from "../server/agents/role-reader.ts";
import { spawnAgent } from "../server/agents/spawn-agent.ts";
import { waitForAgent } from "../server/agents/wait-for-agent.ts";
import { UserError } from "../server/errors.ts";
import { requirePlanRoom } from "../server/plans/require-plan-room.ts";
import { parseTaskId } from "../server/tasks/task-id.ts";
import { agentSummary, nextForAgent } from "./agent-read.ts";
import { waitSeconds } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { parseArguments } from "./parse-arguments.ts";
import { hostLabel, type ToolContext } from "./tool-context.ts";

const anyObject = z.record(z.string(), z.json());
const ordered = z.strictObject({
  models: z.array(z.string().max(250)).max(10).optional(),
  schema: jsonSchema.optional(),
  oracle: oracleSchema.optional(),
  limits: limitsSchema.partial().optional(),
});

export const agentSpawn = defineTool({
  name: "agent_spawn",
  title: "Spawn or cancel an agent",
  description:
    'Gives a task to a worker agent: a signed role (skill_read "delegate" says which) on a local model, or a cloud one where the person allows it. Returns its id at once, or its answer with wait_seconds. It knows only what task says. oracle judges the answer; a refused one is tried again, then by the next model.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    role: z.string().min(1).max(100).optional(),
    task: z.string().min(1).max(200_000).describe("all that it must know").optional(),
    schema: anyObject.describe("JSON Schema of its answer").optional(),
    oracle: anyObject
      .describe(
        '{kind: "test", source: "export default (answer) => { throws to refuse }"} | {kind: "command", command, args?} | {kind: "model", role, question?} | {kind: "schema", schema}; and attempts per model',
      )
      .optional(),
    models: z.array(z.string()).describe('instead of the role\'s, such as ["ollama:qwen3:4b", "claude"]').optional(),
    limits: anyObject.describe("lower ones than the role's: turns, toolCalls, tokens, usd, timeoutMs").optional(),
    urgency: z.enum(["low", "normal", "high", "now"]).optional(),
    complexity: z.enum(["low", "medium", "high"]).optional(),
    task_id: z.union([z.string().max(20), z.int().min(1)]).optional(),
    dedupe_key: z.string().min(1).max(200).optional(),
    cancel: z.string().max(20).describe("instead: an agent to cancel, such as A7").optional(),
    wait_seconds: waitSeconds,
  }),
  async handle(context, { role, task, cancel, wait_seconds, urgency, complexity, task_id, dedupe_key, ...rest }) {
    const by = context.agent === undefined ? hostLabel(context.client) : agentLabel(context.agent);
    if (cancel !== undefined) return cancelled(context, cancel, by);
    if (role === undefined || task === undefined) {
      throw new UserError("invalid_argument", "agent_spawn needs role and task (or cancel).", {
        next: 'agent_spawn {"role": "researcher", "task": "…"}',
      });
    }
    const { models, schema, oracle, limits } = parseArguments("agent_spawn", ordered, rest);
    const agent = await spawnAgent(
      { ...agentsDeps(context), requirePlanRoom },
      {
        role,
        prompt: task,
        models: models?.map(parseModel),
        schema,
        oracle,
        limits,
        urgency,
        complexity,
        ...(task_id === undefined ? {} : { taskId: parseTaskId(task_id) }),
        folder: null,
        dedupeKey: dedupe_key === undefined ? null : `${context.agent === undefined ? "host" : by}:${dedupe_key}`,
        requestedBy: by,
        traceId: context.traceId,
        depth: 0,
        ...below(context, limits),
      },
    );
    if (wait_seconds === undefined)
      return `${formatAgentId(agent.id)} (${role}) is ${agent.state}. ${nextForAgent(agent)}`;
    const now = await waitForAgent(context, agent.id, { waitSeconds: wait_seconds, signal: context.signal });
    return `${agentSummary(context, now)}\n\n${nextForAgent(now)}`;
  },
});

/** What an agent may pass on to those that it starts: one level less, its plan, its folder. Throws permission_denied. */
function below({ agent }: ToolContext, limits: z.infer<typeof ordered>["limits"]) {
  if (agent === undefined) return {};
  if (agent.depthLeft < 1) {
    throw new UserError("permission_denied", "Your role does not let you start further agents.", {
      next: "do this piece of work yourself",
    });
  }
  return {
    depth: agent.depth + 1,
    parentAgent: agent.id,
    limits: { ...limits, depth: Math.min(agent.depthLeft - 1, limits?.depth ?? agent.depthLeft) },
    folder: agent.folder,
    ...(agent.planId === null ? {} : { planId: agent.planId }),
  };
}

async function cancelled({ store, traceId, agent }: ToolContext, handle: string, by: string): Promise<string> {
  if (agent !== undefined) await requireOwnChild({ store, agent }, handle);
  const row = await cancelAgent(store.db, { id: handle, by, traceId });
  const name = formatAgentId(row.id);
  if (row.state === "cancelled") return `${name} is cancelled.`;
  return `${name} is being cancelled. agent_read {"agent": "${name}", "wait_seconds": 10} tells when it has stopped.`;
}

/** An agent ends only those that it has started. */
async function requireOwnChild(
  { store, agent }: Required<Pick<ToolContext, "store" | "agent">>,
  handle: string,
): Promise<void> {
  const row = await requireAgent(store.db, handle);
  if (agent === undefined || row.parent_agent === agent.id) return;
  throw new UserError("permission_denied", `${formatAgentId(row.id)} is none of yours.`);
}
