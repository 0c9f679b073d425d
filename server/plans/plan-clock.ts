import type { Row } from "../store/tables.ts";
import { isWork } from "./next-steps.ts";
import { isPlanAtRest } from "./plan-states.ts";

/** The columns of a plan's clock. It stands still while nothing but people is waited for, and while the plan is at rest. */
type Clock = Pick<Row<"plans">, "ran_ms" | "running_since">;

/** Milliseconds that a plan was at work until now. */
export function ranMs({ ran_ms: before, running_since: since }: Clock, now: Date): number {
  return before + (since === null ? 0 : Math.max(0, now.getTime() - since.getTime()));
}

/** The clock after a change of the plan's state or nodes. */
export function clockAfter(
  plan: Clock & Pick<Row<"plans">, "state">,
  nodes: readonly Pick<Row<"plan_nodes">, "state" | "kind" | "next_try_at">[],
  now: Date,
): Clock {
  const isBusy = nodes.some(
    ({ state, kind, next_try_at }) =>
      (state === "running" && isWork(kind)) || (state === "waiting" && next_try_at !== null),
  );
  const runs = isBusy && !isPlanAtRest(plan.state);
  if (runs === (plan.running_since !== null)) return { ran_ms: plan.ran_ms, running_since: plan.running_since };
  return { ran_ms: Math.round(ranMs(plan, now)), running_since: runs ? now : null };
}
