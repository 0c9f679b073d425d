import { createWake } from "../runs/wake.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { parsePlanId } from "./plan-id.ts";
import { parsePlanNotice, plansChannel } from "./plan-notices.ts";
import { isPlanAtRest } from "./plan-states.ts";
import { requirePlan } from "./read-plan.ts";

/** A notification can be lost, so the plan is looked at this often in any case. */
const lookMs = 1_000;

export type PlanWait = Readonly<{
  waitSeconds: number;
  /** Aborting ends the wait, not the plan. */
  signal: AbortSignal;
}>;

/** The plan once nothing more happens with it by itself, or as it is when the time is up. Throws plan_not_found. */
export async function waitForPlan(
  { store }: Readonly<{ store: Store }>,
  handle: string | number,
  { waitSeconds, signal }: PlanWait,
): Promise<Row<"plans">> {
  const id = parsePlanId(handle);
  const deadline = performance.now() + waitSeconds * 1_000;
  const wake = createWake();
  signal.addEventListener("abort", wake.ring);
  const unlisten = await store.listen(plansChannel, (payload) => {
    if (parsePlanNotice(payload)?.planId === id) wake.ring();
  });
  try {
    for (;;) {
      const plan = await requirePlan(store.db, id);
      const leftMs = deadline - performance.now();
      if (isPlanAtRest(plan.state) || leftMs <= 0 || signal.aborted) return plan;
      await wake.wait(Math.min(lookMs, leftMs));
    }
  } finally {
    signal.removeEventListener("abort", wake.ring);
    await unlisten();
  }
}
