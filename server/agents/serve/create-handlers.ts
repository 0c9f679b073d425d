import { messageOf, UserError } from "../../errors.ts";
import { asMachineTrouble } from "../../machine-trouble.ts";
import { nearestWord } from "../../nearest-word.ts";
import { recordEvent } from "../../runs/events.ts";
import type { Row } from "../../store/tables.ts";
import { type AgentCaller, agentLabel } from "../agent-caller.ts";
import { formatAgentId } from "../agent-id.ts";
import type { ServeDeps } from "../agents-deps.ts";
import { mayCall } from "../budget/may-call.ts";
import { settleCall } from "../budget/settle-call.ts";
import type { ToolResult } from "../loop/loop-host.ts";
import type { Step, StepOf } from "../loop/step.ts";
import { judgeAnswer } from "../oracle/judge-answer.ts";
import type { Handlers } from "../process/protocol.ts";
import type { ToolCall } from "../providers/types.ts";
import { finishStep, recordStep } from "../record-steps.ts";
import { addToStats } from "../routing/model-stats.ts";
import type { ToolRoute } from "./agent-tools.ts";
import type { Prepared } from "./prepare-agent.ts";

export type Session = Readonly<{
  deps: ServeDeps;
  agent: Row<"agents">;
  prepared: Prepared;
  signal: AbortSignal;
  /** Gives the agent's place to another while it only waits for one. */
  whileWaiting<T>(work: () => Promise<T>): Promise<T>;
}>;

/** What answers an agent's process. Whatever it may not do is refused here, and recorded. */
export function createHandlers(session: Session): Handlers {
  const { deps, agent, prepared, signal } = session;
  const { db } = deps.store;
  const lease = { agentId: agent.id, lease: agent.lease, attempt: agent.attempt };
  let freeSlot: (() => void) | undefined;
  let asking: { provider: string; model: string } = { provider: "", model: "" };

  /** Ollama answers so many at a time; whoever waits for it has reserved nothing yet. */
  async function takeSlot(provider: string): Promise<void> {
    if (provider !== "ollama") return;
    const got = Promise.withResolvers<void>();
    const used = Promise.withResolvers<void>();
    const turn = deps.ollamaSlots.run(signal, () => {
      got.resolve();
      return used.promise;
    });
    turn.catch((thrown: unknown) => got.reject(thrown));
    freeSlot = used.resolve;
    await got.promise;
  }

  function leaveSlot(): void {
    freeSlot?.();
    freeSlot = undefined;
  }
  signal.addEventListener("abort", leaveSlot, { once: true });

  const stats = (change: Parameters<typeof addToStats>[2]) =>
    addToStats(db, { role: agent.role, complexity: agent.complexity, ...asking }, change);
  const record = (step: Step, name?: string) => recordStep(db, { ...lease, step, name });

  return {
    async begin_model({ request, maxOutputTokens }) {
      await deps.requireRole(agent.role);
      await takeSlot(request.provider);
      asking = { provider: request.provider, model: request.model ?? "" };
      const planCaps = agent.plan_id === null ? null : await deps.planCaps(agent.plan_id);
      const order = {
        ...lease,
        limits: prepared.limits,
        request,
        maxOutputTokens,
        planCaps,
        config: deps.config.agents,
      };
      const leave = await mayCall(db, order);
      if (!leave.ok) leaveSlot();
      return leave;
    },
    async end_model({ step, result, used }) {
      leaveSlot();
      await settleCall(db, { ...lease, n: step, result, used });
      return null;
    },
    async call_tool({ call }) {
      const route = prepared.tools.routes.get(call.name);
      if (route === undefined) return { result: await refuse(session, call, record) };
      const n = await record(toolStep(call, null), call.name);
      if (route.kind === "mcp") return { mcp: { step: n, server: route.server, tool: route.tool } };
      const result = await perform(session, call, route, n);
      await finishStep(db, { ...lease, n, step: toolStep(call, result) });
      return { result };
    },
    async end_tool({ step, call, result }) {
      const kept = cutResult(result, prepared.workspace.maxChars);
      await finishStep(db, { ...lease, n: step, step: toolStep(call, kept) });
      return kept;
    },
    async skip_tool({ call, result }) {
      await record(toolStep(call, result), call.name);
      return null;
    },
    async judge({ answer }) {
      const { schema, oracle } = prepared;
      if (schema === null && oracle === null) {
        await stats({ accepted: 1 });
        return { verdict: "pass", reason: "" };
      }
      const request = { oracle: oracle?.kind ?? "schema", answer };
      const n = await record({ kind: "oracle", request, result: null }, request.oracle);
      const { folder } = prepared.workspace;
      const ask = () => judgeAnswer(deps, { agent, answer, schema, oracle, folder, step: n, signal });
      const result = oracle?.kind === "model" ? await session.whileWaiting(ask) : await ask();
      await finishStep(db, { ...lease, n, step: { kind: "oracle", request, result } });
      if (result.verdict !== "unable") await stats(result.verdict === "pass" ? { accepted: 1 } : { refused: 1 });
      return result;
    },
    async note({ step }) {
      await record(step);
      if (step.kind === "escalation" && failures.includes(step.request.cause)) await stats({ failed: 1 });
      return null;
    },
  };
}

/** Causes that speak against a model; a refusal has been counted, and money and servers are not its fault. */
export const failures: readonly StepOf<"escalation">["request"]["cause"][] = [
  "unusable",
  "turns",
  "tool_calls",
  "loop",
  "context",
  "model_failed",
];

function toolStep({ id, name, arguments: args }: ToolCall, result: ToolResult | null): StepOf<"tool"> {
  return { kind: "tool", request: { callId: id, name, arguments: { ...args } }, result };
}

/** A tool that its role does not give it: told to the model with those that it has, and put into the audit trail. */
async function refuse(
  { deps, agent, prepared }: Session,
  call: ToolCall,
  record: (step: Step, name?: string) => Promise<number>,
): Promise<ToolResult> {
  const names = [...prepared.tools.routes.keys()];
  const guess = nearestWord(call.name, names);
  const meant = guess === undefined ? "" : ` Did you mean "${guess}"?`;
  const has = names.length === 0 ? "You have no tools: give your answer." : `Your tools are: ${names.join(", ")}.`;
  const result = { content: `There is no tool "${call.name.slice(0, 60)}" for you.${meant} ${has}`, isError: true };
  await record(toolStep(call, result), call.name.slice(0, 100));
  await reportRefusal({ deps, agent }, call, "its role does not give it this tool");
  return result;
}

async function reportRefusal(
  { deps, agent }: Pick<Session, "deps" | "agent">,
  { name, arguments: args }: ToolCall,
  reason: string,
): Promise<void> {
  await recordEvent(deps.store.db, {
    kind: "agent.refused",
    actor: agentLabel(agent),
    subject: `agent:${formatAgentId(agent.id)}`,
    detail: { tool: name.slice(0, 100), arguments: JSON.stringify(args).slice(0, 1_000), reason: reason.slice(0, 500) },
    traceId: agent.trace_id,
  });
}

const refusals = new Set(["permission_denied", "file_unsafe", "not_approved", "approval_invalid"]);

async function perform(
  session: Session,
  call: ToolCall,
  route: Exclude<ToolRoute, { kind: "mcp" }>,
  n: number,
): Promise<ToolResult> {
  const { deps, agent, prepared, signal } = session;
  const { maxChars, effects } = prepared.workspace;
  try {
    if (route.kind === "jobrunner") {
      const waits = "wait_seconds" in call.arguments;
      const made = () => deps.callTool(call, callerOf(agent, prepared), signal);
      const result = waits ? await session.whileWaiting(made) : await made();
      const code = result.isError ? /^\*\*(\w+)\*\*/.exec(result.content)?.[1] : undefined;
      if (code !== undefined && refusals.has(code)) await reportRefusal(session, call, result.content);
      return cutResult(result, maxChars);
    }
    const context = { ...prepared.workspace, signal, effects: { ...effects, seq: n, startedAt: deps.clock(), signal } };
    return cutResult({ content: await route.tool.call(context, call.arguments), isError: false }, maxChars);
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asMachineTrouble(thrown) ?? thrown;
    if (error instanceof UserError) {
      if (refusals.has(error.code)) await reportRefusal(session, call, error.message);
      const next = error.next === undefined ? "" : ` Next: ${error.next}.`;
      return { content: `${error.code}: ${error.message}${next}`, isError: true };
    }
    // What a network says is for the model to read; anything else is a bug, and is logged.
    if (!(error instanceof TypeError))
      deps.log.error({ err: error, agent: agent.id, tool: call.name }, "a tool of an agent broke");
    return { content: `It failed: ${messageOf(error).slice(0, 500)}`, isError: true };
  }
}

function callerOf(agent: Row<"agents">, { manifest, limits, workspace }: Prepared): AgentCaller {
  return {
    id: agent.id,
    role: agent.role,
    jobs: manifest.permissions.jobs,
    depth: agent.depth,
    depthLeft: limits.depth,
    planId: agent.plan_id,
    taskId: agent.task_id,
    folder: workspace.folder,
    traceId: agent.trace_id,
  };
}

function cutResult({ content, isError }: ToolResult, maxChars: number): ToolResult {
  if (content.length <= maxChars) return { content, isError };
  return { content: `${content.slice(0, maxChars)}\n[cut: ${content.length - maxChars} more characters]`, isError };
}
