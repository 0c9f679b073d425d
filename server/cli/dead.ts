import { Command } from "commander";
import { z } from "zod";
import { formatTime } from "../format-time.ts";
import { personCommand } from "../person-command.ts";
import { visibleLine } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { type DeadOptions, deadFilter } from "./dead-choice.ts";
import { jsonText, ownTimezone, tableText } from "./show-list.ts";

const answer = z.object({
  groups: z.array(
    z.object({
      job: z.string(),
      reason: z.string(),
      class: z.string().nullable(),
      count: z.int(),
      first_at: z.coerce.date(),
      last_at: z.coerce.date(),
      run: z.string(),
      message: z.string(),
    }),
  ),
});

/** `jr dead`: runs that failed for good and that nobody has dealt with, what is alike in one line. */
export function command(context: CliContext): Command {
  return new Command("dead")
    .description("list runs that failed for good and wait for you; what is alike stands in one line")
    .option("--job <name>", "only of this job")
    .option("--reason <code>", "only with this reason, such as fetch_failed")
    .option("--since <time>", "only what ended within this time, such as 2d")
    .option("--limit <n>", "how many lines, at most 500", "50")
    .option("--json", "print JSON")
    .action((options: DeadOptions & { limit: string; json?: boolean }) => list(context, options));
}

async function list(
  context: CliContext,
  { limit, json, ...options }: DeadOptions & { limit: string; json?: boolean },
): Promise<void> {
  const client = await connectDaemon(context);
  const query = new URLSearchParams({ ...deadFilter(options), limit });
  const { groups } = await client.get(`/api/dead?${query}`, answer);
  if (json) return print(context, jsonText(groups));
  if (groups.length === 0) return say(context, "No dead letters.");
  const rows = groups.map((group) => [
    group.job,
    `${group.reason}${group.class === null ? "" : ` (${group.class})`}`,
    String(group.count),
    formatTime(group.last_at, ownTimezone()),
    group.run,
    visibleLine(group.message).slice(0, 80),
  ]);
  print(context, tableText(context, ["JOB", "WHY", "ALIKE", "LAST", "RUN", "ERROR"], rows));
  const [first] = groups;
  const which = first === undefined ? [] : ["--job", first.job, "--reason", first.reason];
  say(context, `once more: ${personCommand(context.home, "redrive", ...which)}`);
  say(context, `not any more: ${personCommand(context.home, "dismiss", ...which)}`);
}
