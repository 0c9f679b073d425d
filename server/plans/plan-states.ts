import type { PlanState } from "../store/tables.ts";

/** States of plans that a daemon works on. */
export const livePlanStates = ["planning", "running", "stopping", "cancelling"] as const satisfies readonly PlanState[];

/** Whether nothing more happens with a plan in that state by itself. */
export function isPlanAtRest(state: PlanState): boolean {
  return !livePlanStates.some((live) => live === state);
}
