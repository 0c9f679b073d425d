import { z } from "zod";
import { UserError } from "../server/errors.ts";
import { estimateText } from "../server/plans/estimate-text.ts";
import { formatPlanId } from "../server/plans/plan-id.ts";
import { complexities, type PlanSpec, planSpec, urgencies } from "../server/plans/plan-spec.ts";
import { problemsOfShape } from "../server/plans/read-plan-text.ts";
import { requestPlan } from "../server/plans/request-plan.ts";
import { estimateDeps } from "../server/plans/route-models.ts";
import { waitForPlan } from "../server/plans/wait-for-plan.ts";
import { waitSeconds } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { agentsDoNot, planNext, planText } from "./plan-text.ts";
import { hostLabel } from "./tool-context.ts";

export const planCreate = defineTool({
  name: "plan_create",
  title: "Turn a goal into a plan and run it",
  description:
    "Runs a graph of nodes in parallel and merges what they give; each is a task, too. Without nodes the role planner decomposes the goal. Everything that nodes name must be signed. plan_only keeps it as a draft; dry_run stores nothing and says what would run where and cost.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    goal: z.string().min(1).max(20_000),
    nodes: z
      .array(z.record(z.string(), z.json()))
      .min(1)
      .max(500)
      .describe(
        '{key, kind, needs: [keys], optional?, attempts?} and by kind: agent {role, prompt, schema?, oracle?, models?}, merge {role?, prompt?} integrates what it needs, job {job, input?}, command {command, args?}, person {prompt}, host {prompt}: a task for you. "${key.output}" or "${key.output.field}" in a text stands for that result',
      )
      .optional(),
    caps: z
      .record(z.string(), z.number())
      .describe("agents, depth, tokens, usd, minutes, parallel; config.yaml is the ceiling")
      .optional(),
    urgency: z.enum(urgencies).optional(),
    complexity: z.enum(complexities).optional(),
    plan_only: z.boolean().default(false),
    dry_run: z.boolean().default(false),
    wait_seconds: waitSeconds,
  }),
  async handle(context, { plan_only: planOnly, dry_run: dryRun, wait_seconds, ...written }) {
    if (context.agent !== undefined) throw agentsDoNot("make plans");
    const answer = await requestPlan(
      { ...context, ...estimateDeps(context) },
      {
        ...{ spec: parseSpec(written), planOnly, dryRun, origin: "host" },
        ...{ requestedBy: hostLabel(context.client), traceId: context.traceId },
      },
    );
    const { plan, cut } = answer;
    if (plan === null) return `Dry run: nothing is stored.\n\n${estimateText(answer)}`;
    if (plan.state === "draft")
      return `${formatPlanId(plan.id)} is a draft.\n\n${estimateText(answer)}\n\n${planNext(plan)}`;
    const lowered = cut.length === 0 ? "" : ` Caps lowered to what config.yaml allows: ${cut.join(", ")}.`;
    if (wait_seconds === undefined) return `${formatPlanId(plan.id)} is ${plan.state}.${lowered} ${planNext(plan)}`;
    const now = await waitForPlan(context, plan.id, { waitSeconds: wait_seconds, signal: context.signal });
    return `${await planText(context, now)}${lowered}`;
  },
});

function parseSpec(written: unknown): PlanSpec {
  const parsed = planSpec.safeParse(written);
  if (parsed.success) return parsed.data;
  const problems = problemsOfShape(parsed.error, written);
  throw new UserError(
    "plan_invalid",
    problems
      .slice(0, 10)
      .map(({ message }) => message)
      .join("; "),
    {
      next: 'skill_read {"name": "plan-work"} shows how nodes are written',
    },
  );
}
