import { z } from "zod";
import { type Catalogue, knownNames, type Offer } from "./catalogue.ts";
import { findPlanProblems, problemText } from "./check-plan.ts";
import { type PlanNode, planSpec } from "./plan-spec.ts";
import { problemsOfShape } from "./read-plan-text.ts";

const kinds = ["agent", "merge", "job", "command", "person", "host"] as const;

/**
 * What the planner is asked for: one flat kind of object, since small models follow that best. What does not belong to a node's kind is
 * dropped.
 */
const answer = z.object({
  nodes: z
    .array(
      z.object({
        key: z.string().describe("short name in lower case, such as find-sources"),
        kind: z.enum(kinds),
        role: z.string().describe("of an agent or a merge node").optional(),
        prompt: z.string().describe("what is to be done, complete in itself").optional(),
        needs: z.array(z.string()).describe("keys of nodes whose results it works with").optional(),
        job: z.string().optional(),
        input: z.record(z.string(), z.json()).optional(),
        command: z.string().optional(),
        args: z.array(z.string()).optional(),
      }),
    )
    .min(1),
});

/** JSON Schema of the planner's answer. */
export const decomposeSchema: Record<string, unknown> = z.toJSONSchema(answer, { io: "input" });

export type DecomposeMaterial = Readonly<{
  goal: string;
  catalogue: Catalogue;
  maxNodes: number;
  /** What was wrong with the answer before; null at the first try. */
  problem: string | null;
}>;

/** What the planner is told. */
export function decomposePrompt({ goal, catalogue, maxNodes, problem }: DecomposeMaterial): string {
  return [
    `Split this goal into the fewest pieces of work that make sense, at most ${maxNodes}. Pieces that do not need each other's results run at the same time.`,
    `Goal:\n${goal}`,
    [
      'Each node has a key, a kind and "needs": the keys of nodes whose results it works with. Nobody sees anything but its own prompt and those results, so say in each prompt everything that it takes.',
      "kinds:",
      '- agent: a model in a "role" does what "prompt" says',
      '- merge: a model that gets the results of all its needs and integrates them; end with one where several results have to become one (role "integrator")',
      '- job: runs the approved "job" with "input"',
      '- command: runs the signed "command" with "args"',
      "- person: only the person can do it. host: needs the host agent that asked",
      "${key.output} within a prompt, input or argument stands for that node's result.",
    ].join("\n"),
    `Roles:\n${offers(catalogue.roles)}`,
    `Jobs:\n${offers(catalogue.jobs)}`,
    `Commands:\n${offers(catalogue.commands)}`,
    ...(problem === null ? [] : [`Your last answer cannot be used: ${problem}. Answer anew, with that mended.`]),
  ].join("\n\n");
}

function offers(list: readonly Offer[]): string {
  const signed = list.filter((offer) => offer.signed);
  if (signed.length === 0) return "(none)";
  return signed.map(({ name, description }) => `- ${name}: ${description.slice(0, 160)}`).join("\n");
}

/** The nodes in a planner's answer, or what is wrong with it. */
export function readDecomposition(
  text: string,
  { catalogue, maxNodes, goal }: Pick<DecomposeMaterial, "catalogue" | "maxNodes" | "goal">,
): { ok: true; nodes: readonly PlanNode[] } | { ok: false; problem: string } {
  const given = answer.safeParse(jsonOf(text));
  if (!given.success) return { ok: false, problem: z.prettifyError(given.error).replaceAll("\n", " ").slice(0, 1_000) };
  const plan = { goal, nodes: given.data.nodes.map(withoutForeignFields) };
  const parsed = planSpec.safeParse(plan);
  if (!parsed.success) {
    const problems = problemsOfShape(parsed.error, plan);
    return {
      ok: false,
      problem: problems
        .map(({ message }) => message)
        .join("; ")
        .slice(0, 1_000),
    };
  }
  const nodes = parsed.data.nodes ?? [];
  const problems = findPlanProblems(nodes, maxNodes, knownNames(catalogue));
  return problems.length === 0 ? { ok: true, nodes } : { ok: false, problem: problemText(problems, nodes) };
}

/** Models that follow a schema fill in every field, whether it means anything or not. */
function withoutForeignFields(node: z.infer<typeof answer>["nodes"][number]): Record<string, unknown> {
  const { key, kind, needs = [] } = node;
  const common = { key: key.trim(), kind, needs: needs.filter((need) => need.trim() !== "" && need !== key) };
  switch (kind) {
    case "agent":
      return { ...common, role: node.role, prompt: node.prompt };
    case "merge":
      return { ...common, role: node.role || undefined, prompt: node.prompt || undefined };
    case "job":
      return { ...common, job: node.job, input: node.input };
    case "command":
      return { ...common, command: node.command, args: node.args ?? [] };
    case "person":
    case "host":
      return { ...common, prompt: node.prompt };
    default:
      return kind satisfies never;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
