import { readFileSync } from "node:fs";
import { Command } from "commander";
import { z } from "zod";
import { formatAgentId, parseAgentId } from "../agents/agent-id.ts";
import { agentErrorText, agentHead, dollarText, stepText, usedText } from "../agents/agent-text.ts";
import { modelText } from "../agents/model-text.ts";
import { messageOf, UserError } from "../errors.ts";
import { formatMs, formatTime } from "../format-time.ts";
import { personCommand } from "../person-command.ts";
import { visibleLine, visibleText } from "../review/visible-text.ts";
import { type AgentAnswer, agentAnswer, rankingAnswer, stepAnswer, usageAnswer } from "./agent-answer.ts";
import { connectDaemon, type DaemonClient } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText, ownTimezone, stateText, tableText } from "./show-list.ts";

type Json = { json?: boolean };
type RunOptions = Json & {
  model?: string[];
  schema?: string;
  oracle?: string;
  urgency?: string;
  complexity?: string;
  dedupeKey?: string;
  wait?: boolean;
};
type ListOptions = Json & { role?: string; state?: string; plan?: string; limit: string; cursor?: string };

/** `jr agent …`: models at work. */
export function command(context: CliContext): Command {
  const agent = new Command("agent").description("models at work: give them tasks, and see what they do");
  agent
    .command("run <role> <task>")
    .description("give a task to an agent")
    .option(
      "--model <model...>",
      'instead of the role\'s, such as "ollama qwen3:4b" or claude, in the order of their turn',
    )
    .option("--schema <file>", "JSON Schema of its answer")
    .option("--oracle <file>", "JSON that says who judges its answer; see docs/agents.md")
    .option("--urgency <how>", "low, normal, high or now")
    .option("--complexity <how>", "low, medium or high")
    .option("--dedupe-key <key>", "the same key never starts a second one")
    .option("--wait", "wait for the end and print the answer; the exit code tells whether it succeeded")
    .option("--json", "print JSON")
    .action((role: string, task: string, options: RunOptions) => run(context, { role, task }, options));
  agent
    .command("list", { isDefault: true })
    .description("list agents, latest first")
    .option("--role <name>")
    .option("--state <state>", "queued, running, succeeded, failed or cancelled")
    .option("--plan <number>", "only of this plan")
    .option("--limit <n>", "how many, at most 500", "20")
    .option("--cursor <agent>", "only agents before this one")
    .option("--json", "print JSON")
    .action((options: ListOptions) => list(context, options));
  agent
    .command("show <agent>")
    .description("show one with its answer")
    .option("--output", "its answer alone")
    .option("--json", "print JSON")
    .action((handle: string, options: Json & { output?: boolean }) => show(context, parseAgentId(handle), options));
  agent
    .command("steps <agent>")
    .description("every call of a model or tool, every verdict and change of model")
    .option("--tail <n>", "only the last ones")
    .option("--full", "whole texts")
    .option("--json", "print JSON")
    .action((handle: string, options: Json & { tail?: string; full?: boolean }) =>
      steps(context, parseAgentId(handle), options),
    );
  agent
    .command("cancel <agent>")
    .description("cancel one, and those that it asked for")
    .action((handle: string) => cancel(context, parseAgentId(handle)));
  agent
    .command("models <role>")
    .description("in which order a role's models are asked, and how they did")
    .option("--urgency <how>", "low, normal, high or now", "normal")
    .option("--json", "print JSON")
    .action((role: string, options: Json & { urgency: string }) => models(context, role, options));
  agent
    .command("usage")
    .description("tokens and money by role and model, and what is left of the budget")
    .option("--days <n>", "how far back", "30")
    .option("--json", "print JSON")
    .action((options: Json & { days: string }) => usage(context, options));
  return agent;
}

const one = z.object({ agent: agentAnswer });

async function run(
  context: CliContext,
  ordered: { role: string; task: string },
  { model, schema, oracle, wait, json, dedupeKey, ...how }: RunOptions,
): Promise<void> {
  const client = await connectDaemon(context);
  const { agent } = await client.post(
    "/api/agents",
    {
      ...ordered,
      ...how,
      models: model,
      dedupe_key: dedupeKey,
      schema: schema === undefined ? undefined : readJson(schema),
      oracle: oracle === undefined ? undefined : readJson(oracle),
    },
    one,
  );
  const handle = formatAgentId(agent.id);
  if (!wait) {
    print(context, json ? jsonText(agent) : `${handle} ${stateText(context, agent.state)}`);
    if (!json) say(context, `to see what it does: ${personCommand(context.home, "agent", "steps", handle)}`);
    return;
  }
  const ended = await awaitEnd(client, agent.id);
  if (json) print(context, jsonText(ended));
  else if (ended.output !== null) print(context, visibleText(ended.output));
  if (ended.state === "succeeded") return;
  throw new UserError("run_failed", `${handle} ${ended.state}: ${visibleLine(agentErrorText(ended) ?? "")}`, {
    next: personCommand(context.home, "agent", "steps", handle),
  });
}

async function awaitEnd(client: DaemonClient, id: number): Promise<AgentAnswer> {
  const answer = z.object({ agent: agentAnswer, ended: z.boolean() });
  for (;;) {
    const { agent, ended } = await client.get(`/api/agents/${id}/wait`, answer);
    if (ended) return agent;
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new UserError("invalid_argument", `${path} cannot be read as JSON: ${messageOf(cause)}.`, { cause });
  }
}

async function list(context: CliContext, { json, ...filter }: ListOptions): Promise<void> {
  const client = await connectDaemon(context);
  const answer = z.object({ rows: z.array(agentAnswer), cursor: z.string().nullable() });
  const page = await client.get(`/api/agents?${new URLSearchParams(filter)}`, answer);
  if (json) return print(context, jsonText(page));
  if (page.rows.length === 0) return say(context, "No agents.");
  const rows = page.rows.map((agent) => [
    formatAgentId(agent.id),
    agent.role,
    stateText(context, agent.state),
    agent.provider === null ? "-" : visibleLine(`${agent.provider} ${agent.model ?? ""}`),
    `${agent.tokens_in + agent.tokens_out}`,
    dollarText(agent.cost_microusd),
    visibleLine(agentErrorText(agent) ?? agent.title).slice(0, 80),
  ]);
  print(context, tableText(context, ["AGENT", "ROLE", "STATE", "MODEL", "TOKENS", "COST", "TASK OR ERROR"], rows));
  if (page.cursor !== null) say(context, `older ones: --cursor ${page.cursor}`);
}

async function show(context: CliContext, id: number, options: Json & { output?: boolean }): Promise<void> {
  const client = await connectDaemon(context);
  const { agent } = await client.get(`/api/agents/${id}`, one);
  if (options.output) return print(context, visibleText(agent.output ?? ""));
  if (options.json) return print(context, jsonText(agent));
  const error = agentErrorText(agent);
  const zone = ownTimezone();
  const { started_at, finished_at } = agent;
  print(
    context,
    [
      visibleLine(agentHead(agent)),
      `asked by  ${visibleLine(agent.requested_by)}, ${formatTime(agent.created_at, zone)}`,
      `started   ${started_at === null ? "not yet" : formatTime(started_at, zone)}`,
      ...(started_at === null || finished_at === null
        ? []
        : [`took      ${formatMs(finished_at.getTime() - started_at.getTime())}`]),
      `used      ${usedText(agent)}`,
      ...(error === undefined ? [] : [`error     ${visibleLine(error)}`]),
      "",
      "Task:",
      visibleText(agent.prompt),
      ...(agent.output === null ? [] : ["", "Answer:", visibleText(agent.output)]),
    ].join("\n"),
  );
}

async function steps(
  context: CliContext,
  id: number,
  { tail, full, json }: Json & { tail?: string; full?: boolean },
): Promise<void> {
  const client = await connectDaemon(context);
  const query = new URLSearchParams(tail === undefined ? {} : { tail });
  const found = await client.get(`/api/agents/${id}/steps?${query}`, z.object({ steps: z.array(stepAnswer) }));
  if (json) return print(context, jsonText(found.steps));
  if (found.steps.length === 0) return say(context, "It has done nothing yet.");
  for (const step of found.steps) print(context, visibleText(stepText(step, full ? 1_000_000 : undefined)));
}

async function cancel(context: CliContext, id: number): Promise<void> {
  const client = await connectDaemon(context);
  const { agent } = await client.post(`/api/agents/${id}/cancel`, {}, one);
  const done = agent.state === "cancelled" ? "Cancelled" : "Told to stop";
  print(context, `${done}: ${formatAgentId(id)} (${agent.role}).`);
}

async function models(context: CliContext, role: string, { urgency, json }: Json & { urgency: string }): Promise<void> {
  const client = await connectDaemon(context);
  const query = new URLSearchParams({ urgency });
  const { ranking } = await client.get(`/api/agents/models/${encodeURIComponent(role)}?${query}`, rankingAnswer);
  if (json) return print(context, jsonText(ranking));
  const rows = ranking.flatMap(({ complexity, models: ranked }) =>
    ranked.map(({ choice, acceptance, tries, usd, seconds, score, enabled }, i) => [
      complexity,
      `${i + 1}.`,
      `${modelText(choice)}${enabled ? "" : " (not enabled)"}`,
      `${Math.round(acceptance * 100)} %`,
      `${tries}`,
      `$${usd.toFixed(3)}`,
      `${Math.round(seconds)} s`,
      score.toFixed(3),
    ]),
  );
  print(context, tableText(context, ["TASK", "", "MODEL", "ACCEPTED", "TRIES", "COST", "TIME", "SCORE"], rows));
}

async function usage(context: CliContext, { days, json }: Json & { days: string }): Promise<void> {
  const client = await connectDaemon(context);
  const found = await client.get(`/api/agents/usage?${new URLSearchParams({ days })}`, usageAnswer);
  if (json) return print(context, jsonText(found));
  const { cloud, lines } = found;
  const most = cloud.usd_per_day === null ? "no limit" : `of ${dollarText(cloud.usd_per_day * 1e6)}`;
  const tokens = cloud.tokens_per_day === null ? "" : ` of ${cloud.tokens_per_day}`;
  say(
    context,
    `Cloud models within 24 hours: ${dollarText(cloud.cost_microusd)} (${most}), ${cloud.tokens}${tokens} tokens.`,
  );
  if (lines.length === 0) return say(context, `No calls within ${days} days.`);
  const rows = lines.map((line) => [
    visibleLine(line.role),
    visibleLine(`${line.provider} ${line.model}`),
    `${line.calls}`,
    `${line.tokens}`,
    dollarText(line.cost_microusd),
  ]);
  print(context, tableText(context, ["ROLE", "MODEL", "CALLS", "TOKENS", "COST"], rows));
}
