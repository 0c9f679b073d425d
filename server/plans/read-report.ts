import type { Config } from "../config.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { planFolder } from "./plan-folder.ts";
import type { ReportMaterial } from "./plan-report.ts";
import { readPlanArtifacts, readPlanNodes, readPlanUsage } from "./read-plan.ts";

/** Where plans lie, and in which zone times are told. */
export type ReportConfig = Readonly<{ home: Pick<Config["home"], "plans">; timezone: string }>;

/** Reads everything that a report of this plan is made of. */
export async function readReportMaterial(
  db: Db,
  plan: Row<"plans">,
  { config, now }: Readonly<{ config: ReportConfig; now: Date }>,
): Promise<ReportMaterial> {
  return {
    plan,
    nodes: await readPlanNodes(db, plan.id),
    artifacts: await readPlanArtifacts(db, plan.id),
    usage: await readPlanUsage(db, plan.id),
    now,
    timezone: config.timezone,
    folder: planFolder(config.home.plans, plan.id),
  };
}
