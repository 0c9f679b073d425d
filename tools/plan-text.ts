import { formatAgentId } from "../server/agents/agent-id.ts";
import { UserError } from "../server/errors.ts";
import { formatTime } from "../server/format-time.ts";
import { nearestWord } from "../server/nearest-word.ts";
import { readHistory, readNodeError } from "../server/plans/node-error.ts";
import { planFacts } from "../server/plans/plan-facts.ts";
import { planFolder } from "../server/plans/plan-folder.ts";
import { formatPlanId } from "../server/plans/plan-id.ts";
import { headText, nodeTable } from "../server/plans/plan-report.ts";
import { type PlanLine, readPlanNodes } from "../server/plans/read-plan.ts";
import { readReportMaterial } from "../server/plans/read-report.ts";
import { formatRunId } from "../server/runs/run-id.ts";
import type { Row } from "../server/store/tables.ts";
import { formatTaskId } from "../server/tasks/task-id.ts";
import { inline, untrusted } from "./fence.ts";
import { foldEnd } from "./fold.ts";
import type { ToolContext } from "./tool-context.ts";

const resultChars = 8_000;

/** A plan in one line of a list. */
export function planLine(plan: PlanLine, timezone: string): string {
  const counts = Object.entries(plan.counts).map(([state, count]) => `${count} ${state}`);
  return `- **${formatPlanId(plan.id)}** ${plan.state} · ${inline(plan.goal, 100)} · ${counts.join(", ")} · ${formatTime(plan.created_at, timezone)}`;
}

/** How a plan stands, whole enough that nothing else needs to be read when all went well. */
export async function planText(context: ToolContext, plan: Row<"plans">): Promise<string> {
  const { config, store, clock } = context;
  const material = await readReportMaterial(store.db, plan, { config, now: clock() });
  const facts = planFacts(plan, material.nodes, material.now);
  const name = formatPlanId(plan.id);
  const errors = material.nodes.flatMap(({ key, error }) => {
    const read = readNodeError(error);
    return read === null ? [] : [`- ${key}: ${read.reason} (${read.class}): ${inline(read.message, 300)}`];
  });
  const needed = new Set(facts.nodes.flatMap(({ needs }) => needs));
  const last = material.nodes.filter(
    ({ key, kind, state, output }) =>
      state === "succeeded" && output !== null && kind !== "decompose" && !needed.has(key),
  );
  const more = (key: string) => `plan_control {"plan": "${name}", "node": "${key}"}`;
  return [
    headText(material, facts),
    ...(material.nodes.length === 0 ? [] : [nodeTable(facts.nodes)]),
    ...(errors.length === 0 ? [] : [`Errors:\n${errors.join("\n")}`]),
    ...last.map(({ key, output }) =>
      untrusted(`Result of ${key}`, foldEnd(output ?? "", more(key), Math.floor(resultChars / last.length))),
    ),
    planNext(plan, material.nodes),
  ].join("\n\n");
}

/** One node with its whole result. */
export async function nodeText({ store, config }: ToolContext, plan: Row<"plans">, key: string): Promise<string> {
  const nodes = await readPlanNodes(store.db, plan.id);
  const node = nodes.find((each) => each.key === key);
  const name = formatPlanId(plan.id);
  if (node === undefined) {
    const near = nearestWord(
      key,
      nodes.map((each) => each.key),
    );
    const guess = near === undefined ? "" : ` Did you mean "${near}"?`;
    throw new UserError("plan_not_found", `${name} has no node "${inline(key, 60)}".${guess}`, {
      next: `plan_control {"plan": "${name}"}`,
    });
  }
  const error = readNodeError(node.error);
  const tries = readHistory(node.history).map(
    ({ attempt, state, error, tokens, provider, model }) =>
      `- try ${attempt}: ${[state, provider, model].filter((word) => word !== null).join(" ")}${tokens > 0 ? `, ${tokens} tokens` : ""}${error === null ? "" : `, ${error.reason} (${error.class}): ${inline(error.message, 200)}`}`,
  );
  const handles = [
    ...(node.task_id === null ? [] : [formatTaskId(node.task_id)]),
    ...(node.agent_id === null ? [] : [formatAgentId(node.agent_id)]),
    ...(node.run_id === null ? [] : [formatRunId(node.run_id)]),
  ];
  return [
    `# ${name} ${node.key} (${node.kind}): ${node.state}`,
    [...(handles.length === 0 ? [] : [`- ${handles.join(", ")}`]), ...tries].join("\n"),
    ...(error === null ? [] : [`${error.reason} (${error.class}): ${inline(error.message, 1_000)}`]),
    ...(node.output === null
      ? []
      : [untrusted("Result", foldEnd(node.output, `${planFolder(config.home.plans, plan.id)}/${node.key}`))]),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** What an agent of ours is told that tries to steer plans: its role's powers are its own, not a plan's. */
export function agentsDoNot(what: string): UserError {
  return new UserError("permission_denied", `Agents do not ${what}: that is for hosts and the person.`, {
    next: "agent_spawn for help, or say in your answer what else should be done",
  });
}

/** What to do next about a plan. */
export function planNext(plan: Row<"plans">, nodes: readonly Row<"plan_nodes">[] = []): string {
  const call = (rest: string) => `plan_control {"plan": "${formatPlanId(plan.id)}", ${rest}}`;
  const yours = nodes.flatMap(({ kind, state, task_id }) =>
    kind === "host" && state === "running" && task_id !== null ? [formatTaskId(task_id)] : [],
  );
  const theirs = nodes.flatMap(({ kind, state, task_id }) =>
    kind === "person" && state === "running" && task_id !== null ? [formatTaskId(task_id)] : [],
  );
  const open = [
    ...(yours.length === 0 ? [] : [`For you: ${yours.join(", ")}; end each with task_update.`]),
    ...(theirs.length === 0
      ? []
      : [`For the person: ${theirs.join(", ")} (jr task show ${theirs[0]}, then jr task done ${theirs[0]}).`]),
  ];
  switch (plan.state) {
    case "draft":
      return `Next: ${call('"action": "resume"')} starts it.`;
    case "planning":
    case "running":
    case "stopping":
    case "cancelling":
      return [...open, `Next: ${call('"wait_seconds": 50')} waits for its end.`].join(" ");
    case "stopped":
      return `Next: ${call('"action": "resume"')} lets it go on.`;
    case "failed":
      return `Next: ${call('"action": "retry"')} does anew what did not succeed, once the cause is gone.`;
    case "succeeded":
    case "cancelled":
      return `More: ${call('"action": "report"')}.`;
    default:
      return plan.state satisfies never;
  }
}
