import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import { readCaps } from "./plan-caps.ts";
import { formatPlanId } from "./plan-id.ts";
import { readPlanUsage } from "./read-plan.ts";

/**
 * Throws `budget_exceeded` where a plan has more agents than its cap, one that `trx` has just put on record included, or where that one
 * stands deeper than it may. Holds the plan until the transaction ends, so that two that come at once do not both find room for one.
 */
export async function requirePlanRoom(
  trx: Db,
  { planId, depth }: Readonly<{ planId: number; depth: number }>,
): Promise<void> {
  const plan = await trx.selectFrom("plans").select("caps").where("id", "=", planId).forUpdate().executeTakeFirst();
  if (plan === undefined) return;
  const caps = readCaps(plan.caps);
  const name = formatPlanId(planId);
  const { agents } = await readPlanUsage(trx, planId);
  if (agents > caps.agents) {
    throw new UserError("budget_exceeded", `${name} has had all of its ${caps.agents} agents.`, {
      next: "do the rest yourself, or make a new plan with more (plans.agents in config.yaml is the ceiling)",
    });
  }
  if (depth >= caps.depth) {
    throw new UserError("budget_exceeded", `Agents of ${name} stand at most ${caps.depth} deep.`, {
      next: "do this piece of work yourself",
    });
  }
}
