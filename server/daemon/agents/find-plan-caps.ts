import type { Caps } from "../../agents/budget/may-call.ts";
import { readCaps } from "../../plans/plan-caps.ts";
import type { Db } from "../../store/open-store.ts";

/** What the agents of a plan may use all together; null where the plan is gone. */
export async function findPlanCaps(db: Db, planId: number): Promise<Caps | null> {
  const plan = await db.selectFrom("plans").select("caps").where("id", "=", planId).executeTakeFirst();
  if (plan === undefined) return null;
  const { tokens, usd } = readCaps(plan.caps);
  return { tokens, usd };
}
