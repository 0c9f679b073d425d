import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import { personCommand } from "../../person-command.ts";
import { knownNames } from "../../plans/catalogue.ts";
import {
  cancelPlan,
  dismissPlan,
  type PlanControl,
  resumePlan,
  retryPlan,
  stopPlan,
} from "../../plans/control-plan.ts";
import { estimateText } from "../../plans/estimate-text.ts";
import { planReport } from "../../plans/plan-report.ts";
import { isPlanAtRest } from "../../plans/plan-states.ts";
import { readCatalogue } from "../../plans/read-catalogue.ts";
import { listPlans, readPlanNodes, requirePlan } from "../../plans/read-plan.ts";
import { readPlanText } from "../../plans/read-plan-text.ts";
import { readReportMaterial } from "../../plans/read-report.ts";
import { requestPlan } from "../../plans/request-plan.ts";
import { estimateDeps } from "../../plans/route-models.ts";
import { waitForPlan } from "../../plans/wait-for-plan.ts";
import { longestWaitSeconds } from "../../runs/wait-for-run.ts";
import type { DaemonDeps } from "../deps.ts";
import { limitText, parse, parseBody } from "./parse.ts";

const listQuery = z.strictObject({ limit: limitText.default(20), cursor: z.string().max(20).optional() });
const waitQuery = z.strictObject({ seconds: z.coerce.number().min(0).max(longestWaitSeconds).default(0) });
const planBody = z.strictObject({
  /** YAML, as the person wrote it. */
  text: z.string().max(2_000_000),
  /** Its name, for the lines of mistakes. */
  file: z.string().max(4_000),
  plan_only: z.boolean().default(false),
  dry_run: z.boolean().default(false),
});
const controlBody = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("retry"), node: z.string().max(60).optional() }),
  z.strictObject({ action: z.enum(["stop", "resume", "cancel", "dismiss"]) }),
]);

/** Plans at the person's door: making, reading, waiting for and steering them. */
export function plansApi(deps: Pick<DaemonDeps, "store" | "approvals" | "config" | "clock">): Hono {
  const { store, config, clock } = deps;
  const { db } = store;
  const whole = async (handle: string) => {
    const plan = await requirePlan(db, handle);
    const material = await readReportMaterial(db, plan, { config, now: clock() });
    return { ...material, report: planReport(material), ended: isPlanAtRest(plan.state) };
  };
  return new Hono()
    .get("/api/plans", async (c) => c.json(await listPlans(db, parse(listQuery, c.req.query()))))
    .post("/api/plans", async (c) => {
      const { text, file, plan_only: planOnly, dry_run: dryRun } = await parseBody(c, planBody);
      // Looked up here, so that a wrong name is told with its line.
      const known = knownNames(await readCatalogue(deps, "person"));
      const spec = readPlanText(text, file, config.plans.nodes, known);
      const answer = await requestPlan(
        { ...deps, ...estimateDeps(deps), command: (...words) => personCommand(config.home, ...words) },
        { spec, planOnly, dryRun, origin: "person", requestedBy: "person", traceId: randomUUID() },
      );
      return c.json({ plan: answer.plan, cut: answer.cut, estimate: estimateText(answer) });
    })
    .get("/api/plans/:plan", async (c) => c.json(await whole(c.req.param("plan"))))
    .get("/api/plans/:plan/wait", async (c) => {
      const { seconds } = parse(waitQuery, c.req.query());
      const plan = await waitForPlan(deps, c.req.param("plan"), { waitSeconds: seconds, signal: c.req.raw.signal });
      return c.json({ plan, nodes: await readPlanNodes(db, plan.id), ended: isPlanAtRest(plan.state) });
    })
    .post("/api/plans/:plan/control", async (c) => {
      const wanted = await parseBody(c, controlBody);
      const order = { plan: c.req.param("plan"), by: "person", traceId: randomUUID() };
      return c.json({ plan: await control(wanted, order) });
    });

  function control(wanted: z.infer<typeof controlBody>, order: PlanControl) {
    switch (wanted.action) {
      case "stop":
        return stopPlan(db, order);
      case "resume":
        return resumePlan(db, order);
      case "retry":
        return retryPlan(db, { ...order, node: wanted.node });
      case "cancel":
        return cancelPlan(db, order);
      case "dismiss":
        return dismissPlan(db, order);
      default:
        return wanted satisfies never;
    }
  }
}
