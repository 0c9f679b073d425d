import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { formatPlanId } from "../plans/plan-id.ts";
import { visibleText } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { followPlan } from "./follow-plan.ts";
import { planAnswer, planDetails } from "./plan-answer.ts";
import { jsonText } from "./show-list.ts";

type Options = { planOnly?: boolean; dryRun?: boolean; wait: boolean; json?: boolean };

/** `jr plan-run goal.yaml`: turns a goal into a plan and follows it to its end. */
export function command(context: CliContext): Command {
  return new Command("plan-run")
    .description("turn a goal into a plan and run it; the exit code tells whether it succeeded")
    .argument("<file>", "YAML with a goal and, perhaps, its nodes: docs/plans.md")
    .option("--plan-only", "keep it as a draft; jr plans resume starts it")
    .option("--dry-run", "store nothing; show what would run where, and about what it would use")
    .option("--no-wait", "do not follow it")
    .option("--json", "print JSON")
    .action((file: string, options: Options) => run(context, resolve(file), options));
}

async function run(context: CliContext, file: string, { planOnly, dryRun, wait, json }: Options): Promise<void> {
  const body = { text: await readGoal(file), file, plan_only: planOnly ?? false, dry_run: dryRun ?? false };
  const client = await connectDaemon(context);
  const answer = z.object({ plan: planAnswer.nullable(), cut: z.array(z.string()), estimate: z.string() });
  const { plan, cut, estimate } = await client.post("/api/plans", body, answer);
  if (plan === null) return print(context, json ? jsonText({ estimate }) : visibleText(estimate));
  const handle = formatPlanId(plan.id);
  if (cut.length > 0) say(context, `Caps lowered to what config.yaml allows: ${cut.join(", ")}.`);
  if (planOnly && plan.state === "draft") {
    print(context, json ? jsonText(plan) : `${handle} is a draft.\n${visibleText(estimate)}`);
    if (!json) say(context, `to start it: ${personCommand(context.home, "plans", "resume", handle)}`);
    return;
  }
  if (!wait) {
    print(context, json ? jsonText(plan) : `${handle} ${plan.state}`);
    if (!json) say(context, `to see how it stands: ${personCommand(context.home, "plan-show", handle)}`);
    return;
  }
  say(context, `${handle} ${plan.state}`);
  const { ended, plan: now } = await followPlan(context, client, plan.id);
  const whole = await client.get(`/api/plans/${plan.id}`, planDetails);
  print(context, json ? jsonText(whole) : visibleText(whole.report));
  if (!ended || now.state === "succeeded" || now.state === "draft") return;
  throw new UserError("run_failed", `${handle} ended as ${now.state}.`, {
    next: `${personCommand(context.home, "plans", "retry", handle)} does anew what did not succeed`,
  });
}

async function readGoal(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UserError("invalid_argument", `Cannot read ${file}: ${messageOf(cause)}.`, { cause });
  }
}
