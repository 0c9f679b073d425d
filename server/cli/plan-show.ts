import { Command } from "commander";
import { UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { formatPlanId, parsePlanId } from "../plans/plan-id.ts";
import { visibleText } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { followPlan } from "./follow-plan.ts";
import { planDetails } from "./plan-answer.ts";
import { jsonText } from "./show-list.ts";

type Options = { node?: string; artifacts?: boolean; follow?: boolean; json?: boolean };

/** `jr plan-show P3`: the report of a plan, or what one of its nodes gave. */
export function command(context: CliContext): Command {
  return new Command("plan-show")
    .description("show a plan: nodes, durations, errors, cost, artifacts, results")
    .argument("<plan>", "such as P3")
    .option("--node <key>", "what this node gave, whole and alone")
    .option("--artifacts", "the files that its nodes left, with their hashes")
    .option("-f, --follow", "until it is at rest")
    .option("--json", "print JSON")
    .action((plan: string, options: Options) => show(context, parsePlanId(plan), options));
}

async function show(context: CliContext, id: number, { node, artifacts, follow, json }: Options): Promise<void> {
  const client = await connectDaemon(context);
  if (follow) await followPlan(context, client, id);
  const found = await client.get(`/api/plans/${id}`, planDetails);
  if (node !== undefined) return showNode(context, found.nodes, { id, node, json });
  if (artifacts) {
    if (json) return print(context, jsonText(found.artifacts));
    if (found.artifacts.length === 0) return say(context, "It has left no files.");
    say(context, visibleText(`In ${found.folder}:`));
    for (const each of found.artifacts) {
      print(context, visibleText(`${each.node}/${each.name}  ${each.media_type}  ${each.bytes} bytes  ${each.sha256}`));
    }
    return;
  }
  print(context, json ? jsonText(found) : visibleText(found.report));
}

function showNode(
  context: CliContext,
  nodes: readonly { key: string; output: string | null; state: string }[],
  { id, node: key, json }: { id: number; node: string; json: boolean | undefined },
): void {
  const found = nodes.find((node) => node.key === key);
  if (found === undefined) {
    throw new UserError("plan_not_found", `${formatPlanId(id)} has no node "${key}".`, {
      next: personCommand(context.home, "plan-show", formatPlanId(id)),
    });
  }
  if (json) print(context, jsonText(found));
  else if (found.output === null) say(context, `${key} is ${found.state}, and gave nothing.`);
  else print(context, visibleText(found.output));
}
