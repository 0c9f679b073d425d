import { mkdir } from "node:fs/promises";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { makeSubfolder, saveFile } from "./plan-folder.ts";
import { formatPlanId } from "./plan-id.ts";
import { planReport } from "./plan-report.ts";
import { type ReportConfig, readReportMaterial } from "./read-report.ts";

/** Writes `report.md` into a plan's folder. */
export async function writeReport(
  db: Db,
  plan: Row<"plans">,
  options: Readonly<{ config: ReportConfig; now: Date }>,
): Promise<void> {
  const { plans } = options.config.home;
  await mkdir(plans, { recursive: true, mode: 0o700 });
  const folder = await makeSubfolder(plans, formatPlanId(plan.id));
  await saveFile(folder, "report.md", planReport(await readReportMaterial(db, plan, options)));
}
