import { UserError } from "../errors.ts";
import { findCycle } from "../find-cycle.ts";
import { nearestWord } from "../nearest-word.ts";
import type { PlanNode } from "./plan-spec.ts";
import { needsOf, referencesOf } from "./references.ts";

/** A mistake in a plan, and where: a path within the plan as it was written. */
export type PlanProblem = Readonly<{ path: readonly PropertyKey[]; message: string }>;

/** What nodes may name. Undefined where that cannot be told here. */
export type Known = Readonly<{
  roles?: readonly string[] | undefined;
  jobs?: readonly string[] | undefined;
  commands?: readonly string[] | undefined;
}>;

/** Every mistake of nodes that each are well-formed by themselves: names that stand for nothing, circles, too many. */
export function findPlanProblems(nodes: readonly PlanNode[], maxNodes: number, known: Known): PlanProblem[] {
  if (nodes.length > maxNodes) {
    const message = `there are ${nodes.length} nodes; config.yaml allows ${maxNodes} (plans.nodes)`;
    return [{ path: ["nodes"], message }];
  }
  const keys = nodes.map(({ key }) => key);
  const problems = nodes.flatMap((node, at) => problemsOf(node, at, keys, known));
  if (problems.length > 0) return problems;
  const needs = new Map(nodes.map((node) => [node.key, needsOf(node)]));
  const cycle = findCycle(keys, (key) => needs.get(key) ?? []);
  if (cycle === undefined) return [];
  const [first = ""] = cycle;
  return [
    {
      path: ["nodes", keys.indexOf(first), "needs"],
      message: `these wait for each other: ${cycle.join(" → ")} (each waits for the one after it)`,
    },
  ];
}

/** Throws `plan_invalid` that names every mistake. */
export function requireSoundPlan(nodes: readonly PlanNode[], maxNodes: number, known: Known): void {
  const problems = findPlanProblems(nodes, maxNodes, known);
  if (problems.length === 0) return;
  throw new UserError("plan_invalid", `The plan is not sound: ${problemText(problems, nodes)}.`, {
    next: "correct these nodes and call again",
  });
}

/** The mistakes in one line, by the keys of their nodes. */
export function problemText(problems: readonly PlanProblem[], nodes: readonly PlanNode[]): string {
  const lines = problems.slice(0, 10).map(({ path: [, at], message }) => {
    const key = typeof at === "number" ? nodes[at]?.key : undefined;
    return key === undefined ? message : `${key}: ${message}`;
  });
  const more = problems.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

function problemsOf(node: PlanNode, at: number, keys: readonly string[], known: Known): PlanProblem[] {
  const place = (...path: PropertyKey[]) => ["nodes", at, ...path];
  const problems: PlanProblem[] = [];
  if (keys.indexOf(node.key) !== at) {
    problems.push({ path: place("key"), message: `there is another node "${node.key}"` });
  }
  for (const [i, need] of node.needs.entries()) {
    if (need === node.key) problems.push({ path: place("needs", i), message: "it waits for itself" });
    else if (!keys.includes(need)) problems.push({ path: place("needs", i), message: noNode(need, keys) });
  }
  const field = node.kind === "job" ? "input" : node.kind === "command" ? "args" : "prompt";
  for (const { node: named, text } of referencesOf(node)) {
    if (named === node.key) problems.push({ path: place(field), message: `${text} is its own output` });
    else if (!keys.includes(named)) {
      problems.push({ path: place(field), message: `${text}: ${noNode(named, keys)}` });
    }
  }
  return [
    ...problems,
    ...namesOf(node).flatMap(([what, path, name]) => unknownName(what, place(...path), name, known)),
  ];
}

type Named = [what: "roles" | "jobs" | "commands", path: PropertyKey[], name: string];

function namesOf(node: PlanNode): Named[] {
  switch (node.kind) {
    case "agent":
    case "merge":
      return [["roles", ["role"], node.role], ...oracleNames(node.oracle)];
    case "job":
      return [["jobs", ["job"], node.job]];
    case "command":
      return [["commands", ["command"], node.command]];
    case "person":
    case "host":
      return [];
    default:
      return node satisfies never;
  }
}

function oracleNames(oracle: Extract<PlanNode, { kind: "agent" }>["oracle"]): Named[] {
  if (oracle?.kind === "command") return [["commands", ["oracle", "command"], oracle.command]];
  return oracle?.kind === "model" ? [["roles", ["oracle", "role"], oracle.role]] : [];
}

function unknownName(what: Named[0], path: readonly PropertyKey[], name: string, known: Known): PlanProblem[] {
  const names = known[what];
  if (names === undefined || names.includes(name)) return [];
  const one = what.slice(0, -1);
  const near = nearestWord(name, names);
  const known20 = names.slice(0, 20).join(", ");
  const hint =
    near === undefined
      ? names.length === 0
        ? `there are no ${what}`
        : `known: ${known20}`
      : `did you mean "${near}"?`;
  return [{ path, message: `there is no ${one} "${name.slice(0, 60)}" (${hint})` }];
}

function noNode(name: string, keys: readonly string[]): string {
  const near = nearestWord(name, keys);
  return `there is no node "${name.slice(0, 60)}"${near === undefined ? "" : ` (did you mean "${near}"?)`}`;
}
