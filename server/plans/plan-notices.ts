import { type Db, notify } from "../store/open-store.ts";

/** Tells that something about a plan has changed. A hint: it can be lost, so every listener also polls. */
export const plansChannel = "plans";

export type PlanNotice = Readonly<{
  planId: number;
  /** Whether its driver tells it, which need not hear it itself. */
  byDriver: boolean;
}>;

/** Sends the hint when the transaction of `db` commits. */
export function sendPlanNotice(db: Db, { planId, byDriver }: PlanNotice): Promise<void> {
  return notify(db, plansChannel, byDriver ? `${planId} driven` : String(planId));
}

/** The notice in a payload, or undefined where it is none that this release knows. */
export function parsePlanNotice(payload: string): PlanNotice | undefined {
  const [, digits, driven] = /^(\d+)( driven)?$/.exec(payload) ?? [];
  return digits === undefined ? undefined : { planId: Number(digits), byDriver: driven !== undefined };
}
