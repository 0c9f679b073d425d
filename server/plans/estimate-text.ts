import { formatMs } from "../format-time.ts";
import type { NodeEstimate } from "./estimate-plan.ts";
import type { PlanAnswer } from "./request-plan.ts";

/** What a plan would do and use, for people and models alike: what runs at the same time stands together. */
export function estimateText({ estimates, unsigned, caps, cut }: PlanAnswer): string {
  const tokens = estimates.reduce((sum, each) => sum + each.tokens, 0);
  const microUsd = estimates.reduce((sum, each) => sum + each.costMicroUsd, 0);
  const agents = estimates.filter(({ kind }) => kind === "agent" || kind === "merge").length;
  const levels = Map.groupBy(estimates, ({ level }) => level);
  const over = [
    ...(tokens > caps.tokens ? ["tokens"] : []),
    ...(microUsd > caps.usd * 1e6 ? ["usd"] : []),
    ...(agents > caps.agents ? ["agents"] : []),
  ];
  const total =
    estimates.length === 0
      ? ["The role planner makes the nodes; what they use is known then."]
      : [
          `${estimates.length} nodes in ${levels.size} levels; about ${tokens} tokens and $${(microUsd / 1e6).toFixed(2)}.`,
        ];
  return [
    ...total,
    ...[...levels].flatMap(([level, nodes]) => [
      `- level ${level}${nodes.length > 1 ? " (at the same time)" : ""}:`,
      ...nodes.map(nodeLine),
    ]),
    `Caps: ${caps.agents} agents, ${caps.depth} deep, ${caps.tokens} tokens, $${caps.usd}, ${formatMs(caps.wallMs)} at work, ${caps.parallel} nodes at the same time.`,
    ...(cut.length === 0 ? [] : [`Lowered to what config.yaml allows: ${cut.join(", ")}.`]),
    ...(over.length === 0 ? [] : [`It may not suffice: ${over.join(", ")}.`]),
    ...unsigned.map(({ noun, command }) => `Not signed yet: ${noun}. The person: ${command}`),
  ].join("\n");
}

function nodeLine({ key, where, needs, tokens, costMicroUsd, tries }: NodeEstimate): string {
  const after = needs.length === 0 ? "" : `, after ${needs.join(", ")}`;
  if (tokens === 0) return `  - ${key}: ${where}${after}`;
  const basis = tries === 0 ? "a guess" : `by ${tries} tries`;
  const cost = costMicroUsd === 0 ? "" : `, $${(costMicroUsd / 1e6).toFixed(4)}`;
  return `  - ${key}: ${where}${after}, about ${tokens} tokens${cost} (${basis})`;
}
