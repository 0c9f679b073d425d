import type { PlanNodeState, Row } from "../store/tables.ts";
import { criticalPath } from "./critical-path.ts";
import { hasEnded } from "./next-steps.ts";
import { type NodeTry, readHistory, readNodeError } from "./node-error.ts";
import { ranMs } from "./plan-clock.ts";
import { readNodeSpec } from "./plan-spec.ts";

/** A node with its JSON read, and what its tries took together. */
export type NodeFacts = Readonly<{
  node: Row<"plan_nodes">;
  needs: readonly string[];
  tries: readonly NodeTry[];
  /** Of all its tries; null where it never began. */
  ms: number | null;
  tokens: number;
  costMicroUsd: number;
  /** Who gave the last answer, such as `ollama qwen3:4b`. */
  by: string | null;
}>;

/** What a report says of a plan. */
export type PlanFacts = Readonly<{
  nodes: readonly NodeFacts[];
  counts: Readonly<Record<PlanNodeState, number>>;
  /** Of nodes that were begun, how many succeeded: 0 to 1; null where none was. */
  successRate: number | null;
  tries: number;
  meanMs: number | null;
  /** From its start to its end, or until now; null where it has not started. */
  tookMs: number | null;
  /** At work, without waiting for people. */
  busyMs: number;
  critical: Readonly<{ keys: readonly string[]; ms: number }>;
  /** Failed tries by class, with the last message of each node. */
  errors: readonly Readonly<{
    class: string;
    count: number;
    nodes: readonly Readonly<{ key: string; message: string }>[];
  }>[];
}>;

/** Adds up what became of a plan until `now`. */
export function planFacts(plan: Row<"plans">, rows: readonly Row<"plan_nodes">[], now: Date): PlanFacts {
  const nodes = rows.map((node) => factsOf(node, now));
  const timed = nodes.filter(({ ms }) => ms !== null);
  const begun = nodes.filter(({ node }) => node.attempt > 0 && hasEnded(node.state));
  const succeeded = begun.filter(({ node }) => node.state === "succeeded");
  const total = timed.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
  const counts = { waiting: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const { state } of rows) counts[state]++;
  return {
    nodes,
    counts,
    successRate: begun.length === 0 ? null : succeeded.length / begun.length,
    tries: nodes.reduce((sum, { tries }) => sum + tries.length, 0),
    meanMs: timed.length === 0 ? null : total / timed.length,
    tookMs: plan.started_at === null ? null : (plan.finished_at ?? now).getTime() - plan.started_at.getTime(),
    busyMs: ranMs(plan, plan.finished_at ?? now),
    critical: criticalPath(nodes.map(({ node, needs, ms }) => ({ key: node.key, needs, ms: ms ?? 0 }))),
    errors: errorsOf(nodes),
  };
}

function factsOf(node: Row<"plan_nodes">, now: Date): NodeFacts {
  const tries = readHistory(node.history);
  const last = tries.at(-1);
  const past = tries.reduce((sum, each) => sum + Date.parse(each.ended_at) - Date.parse(each.started_at), 0);
  const present = node.state === "running" && node.started_at !== null ? now.getTime() - node.started_at.getTime() : 0;
  const by = [last?.provider, last?.model].filter((word) => typeof word === "string").join(" ");
  return {
    node,
    needs: readNodeSpec(node.spec).needs,
    tries,
    ms: node.attempt === 0 ? null : Math.max(0, past + present),
    tokens: tries.reduce((sum, { tokens }) => sum + tokens, 0),
    costMicroUsd: tries.reduce((sum, each) => sum + each.cost_microusd, 0),
    by: by === "" ? null : by,
  };
}

function errorsOf(nodes: readonly NodeFacts[]): PlanFacts["errors"] {
  const classes = new Map<string, Map<string, string>>();
  const counts = new Map<string, number>();
  const add = (key: string, failure: string, message: string) => {
    counts.set(failure, (counts.get(failure) ?? 0) + 1);
    classes.set(failure, (classes.get(failure) ?? new Map()).set(key, message));
  };
  for (const { node, tries } of nodes) {
    for (const { error } of tries) {
      if (error !== null) add(node.key, error.class, `${error.reason}: ${error.message}`);
    }
    // What never began has no try, and is told of once.
    const own = readNodeError(node.error);
    if (own !== null && tries.length === 0 && node.state !== "skipped") add(node.key, own.class, own.message);
  }
  return [...classes].map(([name, byNode]) => ({
    class: name,
    count: counts.get(name) ?? 0,
    nodes: [...byNode].map(([key, message]) => ({ key, message })),
  }));
}
