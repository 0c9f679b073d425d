import { dismissAlert, raiseAlert } from "../runs/alerts.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { readNodeError } from "./node-error.ts";
import { formatPlanId } from "./plan-id.ts";

/** The one alert of a plan that has failed. */
function planAlertKey(id: number): string {
  return `plan:${formatPlanId(id)}:failed`;
}

/** Tells that a plan has failed, and of which node first. */
export async function alertFailedPlan(db: Db, plan: Row<"plans">, nodes: readonly Row<"plan_nodes">[]): Promise<void> {
  const failed = nodes.filter(({ state, optional }) => state === "failed" && !optional);
  const [first] = failed;
  const which = failed.length > 1 ? `${failed.length} of ${nodes.length} nodes, first ${first?.key}` : first?.key;
  const reason = readNodeError(plan.error)?.message ?? readNodeError(first?.error ?? null)?.message;
  const cause = [which, reason].filter((part) => part !== undefined).join(": ");
  const message = `${formatPlanId(plan.id)} failed${cause === "" ? "" : ` (${cause})`}: ${plan.goal}`;
  await raiseAlert(db, { key: planAlertKey(plan.id), message });
}

/** Closes that alert, if it is open: the plan goes on, is gone, or a person has seen it. */
export async function dismissPlanAlert(db: Db, id: number): Promise<void> {
  await dismissAlert(db, planAlertKey(id));
}
