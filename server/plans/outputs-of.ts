import type { Row } from "../store/tables.ts";

/** What each node of a plan gave; null where it gave nothing (yet). */
export function outputsOf(nodes: readonly Row<"plan_nodes">[]): Map<string, string | null> {
  return new Map(nodes.map(({ key, state, output }) => [key, state === "succeeded" ? output : null]));
}
