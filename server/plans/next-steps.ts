import type { PlanNodeKind, PlanNodeState } from "../store/tables.ts";
import { dependantsOf } from "./order-nodes.ts";

/** A node as deciding needs it. */
export type NodeStanding = Readonly<{
  key: string;
  kind: PlanNodeKind;
  needs: readonly string[];
  optional: boolean;
  state: PlanNodeState;
  /** A waiting node is not tried before. */
  next_try_at: Date | null;
}>;

export type NextSteps = Readonly<{
  /** To be started now, in order. */
  start: readonly string[];
  /** Nodes that can never start, each with the failed node that is to blame. */
  skip: readonly Readonly<{ key: string; because: string }>[];
  /** When the next retry is due; null where none waits. */
  nextTryAt: Date | null;
  /** How the plan ends, once nothing more can happen. */
  end: "succeeded" | "failed" | null;
}>;

/**
 * What a plan's graph asks for now. A node starts once all that it needs has ended, and is skipped once something that it needs, and
 * that is not optional, did not succeed. `parallel` bounds what is at work; what waits for people does not count.
 */
export function nextSteps(
  nodes: readonly NodeStanding[],
  { now, parallel }: { now: Date; parallel: number },
): NextSteps {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const skip = skipped(nodes, byKey);
  const gone = new Set(skip.map(({ key }) => key));
  const isOver = (key: string) => {
    const need = byKey.get(key);
    return need === undefined || hasEnded(need.state) || gone.has(key);
  };
  const ready = nodes.filter(
    ({ key, state, needs }) => state === "waiting" && !gone.has(key) && needs.every((need) => isOver(need)),
  );
  const later = ready.flatMap(({ next_try_at: at }) => (at !== null && at > now ? [at] : []));
  let places = parallel - nodes.filter(({ state, kind }) => state === "running" && isWork(kind)).length;
  const start = ready
    .filter(({ next_try_at: at }) => at === null || at <= now)
    .filter(({ kind }) => !isWork(kind) || places-- > 0)
    .map(({ key }) => key);
  const over = nodes.every(({ key, state }) => hasEnded(state) || gone.has(key));
  const good = nodes.every(({ key, state, optional }) => optional || (state === "succeeded" && !gone.has(key)));
  return {
    start,
    skip,
    nextTryAt: later.length === 0 ? null : new Date(Math.min(...later.map((at) => at.getTime()))),
    end: over ? (good ? "succeeded" : "failed") : null,
  };
}

/** Whether a node in that state stays in it by itself. */
export function hasEnded(state: PlanNodeState): boolean {
  switch (state) {
    case "waiting":
    case "running":
      return false;
    case "succeeded":
    case "failed":
    case "skipped":
    case "cancelled":
      return true;
    default:
      return state satisfies never;
  }
}

/** Whether JobRunner itself is at work on nodes of that kind, rather than somebody outside. */
export function isWork(kind: PlanNodeKind): boolean {
  return kind !== "person" && kind !== "host";
}

function skipped(
  nodes: readonly NodeStanding[],
  byKey: ReadonlyMap<string, NodeStanding>,
): { key: string; because: string }[] {
  // Without the edges that an optional node lets failures not pass.
  const strict = new Map(
    nodes.map(({ key, needs }) => [key, needs.filter((need) => byKey.get(need)?.optional === false)]),
  );
  const found = new Map<string, string>();
  for (const { key, state, optional } of nodes) {
    if (optional || (state !== "failed" && state !== "cancelled")) continue;
    for (const next of dependantsOf(strict, [key])) {
      if (byKey.get(next)?.state === "waiting" && !found.has(next)) found.set(next, key);
    }
  }
  return nodes.flatMap(({ key }) => {
    const because = found.get(key);
    return because === undefined ? [] : [{ key, because }];
  });
}
