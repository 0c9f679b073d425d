import { z } from "zod";
import { UserError } from "../server/errors.ts";
import { cancelPlan, resumePlan, retryPlan, stopPlan } from "../server/plans/control-plan.ts";
import { planReport } from "../server/plans/plan-report.ts";
import { listPlans, requirePlan } from "../server/plans/read-plan.ts";
import { readReportMaterial } from "../server/plans/read-report.ts";
import { waitForPlan } from "../server/plans/wait-for-plan.ts";
import { waitSeconds } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { agentsDoNot, nodeText, planLine, planText } from "./plan-text.ts";
import { hostLabel, type ToolContext } from "./tool-context.ts";

const listed = 20;

export const planControl = defineTool({
  name: "plan_control",
  title: "Read or steer a plan",
  description:
    "read: how it stands, or one node with its whole result. report: durations, errors, cost, artifacts. stop: starts nothing more; resume: goes on (also starts a draft). retry: does a node and what depends on it anew, or all that did not succeed. cancel ends it. list: the latest plans.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    plan: z
      .union([z.string().max(20), z.int().min(1)])
      .describe("such as P3; not for list")
      .optional(),
    action: z.enum(["read", "report", "stop", "resume", "retry", "cancel", "list"]).default("read"),
    node: z.string().max(60).describe("its key; for read and retry").optional(),
    wait_seconds: waitSeconds,
  }),
  async handle(context, { plan, action, node, wait_seconds: seconds = 0 }) {
    if (node !== undefined && action !== "read" && action !== "retry") {
      throw new UserError("invalid_argument", `${action} takes no node: it is for whole plans.`, {
        next: "node goes with read and retry",
      });
    }
    if (action === "list") return listText(context);
    if (plan === undefined) throw new UserError("invalid_argument", `${action} needs a plan.`, { next: "plan: P3" });
    if (context.agent !== undefined && action !== "read" && action !== "report") throw agentsDoNot(`${action} plans`);
    const { db } = context.store;
    const order = { plan, by: hostLabel(context.client), traceId: context.traceId };
    switch (action) {
      case "read":
      case "report":
        break;
      case "stop":
        await stopPlan(db, order);
        break;
      case "resume":
        await resumePlan(db, order);
        break;
      case "retry":
        await retryPlan(db, { ...order, node });
        break;
      case "cancel":
        await cancelPlan(db, order);
        break;
      default:
        return action satisfies never;
    }
    const now =
      seconds > 0
        ? await waitForPlan(context, plan, { waitSeconds: seconds, signal: context.signal })
        : await requirePlan(db, plan);
    if (action === "report") {
      return planReport(await readReportMaterial(db, now, { config: context.config, now: context.clock() }));
    }
    return action === "read" && node !== undefined ? nodeText(context, now, node) : planText(context, now);
  },
});

async function listText({ store, config }: ToolContext): Promise<string> {
  const { rows } = await listPlans(store.db, { limit: listed });
  if (rows.length === 0) return 'No plans. Make one with plan_create; skill_read {"name": "plan-work"} says how.';
  return rows.map((plan) => planLine(plan, config.timezone)).join("\n");
}
