import { Command } from "commander";
import { z } from "zod";
import { formatTime } from "../format-time.ts";
import { formatPlanId, parsePlanId } from "../plans/plan-id.ts";
import { visibleLine } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { planAnswer } from "./plan-answer.ts";
import { jsonText, ownTimezone, stateText, tableText } from "./show-list.ts";

type Action = "stop" | "resume" | "retry" | "cancel" | "dismiss";

/** `jr plans`: the latest plans, and steering them. */
export function command(context: CliContext): Command {
  const plans = new Command("plans").description("list the plans, or stop, resume, retry, cancel or dismiss one");
  plans
    .command("list", { isDefault: true })
    .description("the latest plans, with how their nodes stand")
    .option("--limit <n>", "how many", "20")
    .option("--json", "print JSON")
    .action((options: { limit: string; json?: boolean }) => list(context, options));
  const steer = (action: Action, description: string) =>
    plans
      .command(action)
      .description(description)
      .argument("<plan>", "such as P3")
      .action((plan: string) => control(context, parsePlanId(plan), { action }));
  steer("stop", "start nothing more; what is at work goes on to its end");
  steer("resume", "let a stopped plan, or a draft, go on");
  steer("cancel", "cancel what is at work, and everything that has not begun");
  steer("dismiss", "a failed one needs no attention any more: its alert ends");
  plans
    .command("retry")
    .description("do a node anew and all that depends on it; without a node, all that did not succeed")
    .argument("<plan>", "such as P3")
    .argument("[node]", "its key")
    .action((plan: string, node: string | undefined) =>
      control(context, parsePlanId(plan), { action: "retry", ...(node === undefined ? {} : { node }) }),
    );
  return plans;
}

async function list(context: CliContext, { limit, json }: { limit: string; json?: boolean }): Promise<void> {
  const answer = z.object({ rows: z.array(planAnswer.extend({ counts: z.record(z.string(), z.int()) })) });
  const client = await connectDaemon(context);
  const { rows } = await client.get(`/api/plans?${new URLSearchParams({ limit })}`, answer);
  if (json) return print(context, jsonText(rows));
  if (rows.length === 0) return say(context, "No plans.");
  const cells = rows.map((plan) => [
    formatPlanId(plan.id),
    stateText(context, plan.state),
    Object.entries(plan.counts)
      .map(([state, count]) => `${count} ${state}`)
      .join(", "),
    formatTime(plan.created_at, ownTimezone()),
    visibleLine(plan.goal.replace(/\s+/g, " ").slice(0, 80)),
  ]);
  print(context, tableText(context, ["PLAN", "STATE", "NODES", "MADE", "GOAL"], cells));
}

async function control(context: CliContext, id: number, body: { action: Action; node?: string }): Promise<void> {
  const client = await connectDaemon(context);
  const { plan } = await client.post(`/api/plans/${id}/control`, body, z.object({ plan: planAnswer }));
  const name = formatPlanId(id);
  print(context, body.action === "dismiss" ? `Dismissed: ${name}.` : `${name} ${stateText(context, plan.state)}`);
}
