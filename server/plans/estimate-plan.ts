import type { ModelChoice } from "../config.ts";
import type { Row } from "../store/tables.ts";
import { orderNodes } from "./order-nodes.ts";
import type { PlanNode, PlanSpec } from "./plan-spec.ts";
import { needsOf } from "./references.ts";

/** Where a node would run, and about what it would use. */
export type NodeEstimate = Readonly<{
  key: string;
  level: number;
  kind: PlanNode["kind"];
  needs: readonly string[];
  /** Such as `researcher on ollama qwen3:4b`. */
  where: string;
  tokens: number;
  costMicroUsd: number;
  /** Tries that the numbers rest on; 0 is a guess. */
  tries: number;
}>;

export type EstimateDeps = Readonly<{
  /** The model that routing would try first in that role, and what is known of it there. */
  route(
    role: string,
    need: Pick<PlanSpec, "urgency" | "complexity"> & Readonly<{ models: readonly ModelChoice[] }>,
  ): Promise<Readonly<{ choice: ModelChoice | null; stats: readonly Row<"model_stats">[] }>>;
  /** About what so many tokens cost there, in millionths of a dollar. */
  price(choice: ModelChoice, tokens: Readonly<{ prompt: number; output: number }>): number;
}>;

const charsPerToken = 4;
/** What a role's instructions and tools take, what each result of another node adds, and what an answer takes, as long as nothing is known. */
const guessed = { frame: 1_500, result: 800, answer: 900, turns: 2 } as const;

/** What each node would do and use, in the order in which they would run. Nothing is stored or called. */
export async function estimatePlan(
  deps: EstimateDeps,
  { nodes = [], urgency, complexity }: PlanSpec,
): Promise<NodeEstimate[]> {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const order = orderNodes(new Map(nodes.map((node) => [node.key, needsOf(node)])));
  const estimates: NodeEstimate[] = [];
  for (const { key, level } of order) {
    const node = byKey.get(key);
    if (node === undefined) continue;
    const common = { key, level, kind: node.kind, needs: needsOf(node) };
    estimates.push({ ...common, ...(await useOf(deps, node, { urgency, complexity })) });
  }
  return estimates;
}

const nothing = { tokens: 0, costMicroUsd: 0, tries: 0 } as const;

async function useOf(deps: EstimateDeps, node: PlanNode, need: Pick<PlanSpec, "urgency" | "complexity">) {
  switch (node.kind) {
    case "agent":
    case "merge": {
      const { choice, stats } = await deps.route(node.role, { ...need, models: node.models });
      if (choice === null) return { where: `${node.role}: no model may be used`, ...nothing };
      const where = `${node.role} on ${[choice.provider, choice.model].filter((word) => word !== null).join(" ")}`;
      return { where, ...agentUse(deps, node, choice, stats) };
    }
    case "job":
      return { where: `a run of ${node.job}`, ...nothing };
    case "command":
      return { where: `the command ${node.command}`, ...nothing };
    case "person":
      return { where: "the person", ...nothing };
    case "host":
      return { where: "a host agent", ...nothing };
    default:
      return node satisfies never;
  }
}

function agentUse(
  { price }: EstimateDeps,
  node: Extract<PlanNode, { kind: "agent" | "merge" }>,
  choice: ModelChoice,
  stats: readonly Row<"model_stats">[],
) {
  const known = stats.filter(
    ({ provider, model }) => provider === choice.provider && (choice.model === null || model === choice.model),
  );
  const sum = (of: (row: Row<"model_stats">) => number) => known.reduce((total, row) => total + of(row), 0);
  const tries = sum(({ accepted, refused, failed }) => accepted + refused + failed);
  if (tries > 0) {
    return {
      tokens: Math.round(sum((row) => row.tokens_in + row.tokens_out) / tries),
      costMicroUsd: Math.round(sum((row) => row.cost_microusd) / tries),
      tries,
    };
  }
  const own = Math.ceil(node.prompt.length / charsPerToken);
  const prompt = (guessed.frame + own + needsOf(node).length * guessed.result) * guessed.turns;
  const output = guessed.answer * guessed.turns;
  return { tokens: prompt + output, costMicroUsd: price(choice, { prompt, output }), tries: 0 };
}
