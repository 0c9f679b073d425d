import { Command, Option } from "commander";
import { z } from "zod";
import { formatTime } from "../format-time.ts";
import { personCommand } from "../person-command.ts";
import { formatRunId } from "../runs/run-id.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { type JobAnswer, jobAnswer } from "./job-answer.ts";
import { jsonText, ownTimezone, stateText, tableText } from "./show-list.ts";

type Options = { state?: string; json?: boolean };

/** `jr jobs`: every job with its versions, next slot and last run. */
export function command(context: CliContext): Command {
  return new Command("jobs")
    .description("list the jobs")
    .addOption(new Option("--state <state>", "only these").choices(["active", "paused", "retired"]))
    .option("--json", "print JSON")
    .action((options: Options) => listAll(context, options));
}

async function listAll(context: CliContext, { state, json }: Options): Promise<void> {
  const client = await connectDaemon(context);
  const jobs: JobAnswer[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query = new URLSearchParams({ limit: "500", ...(state && { state }), ...(cursor && { cursor }) });
    const page: z.infer<typeof pageAnswer> = await client.get(`/api/jobs?${query}`, pageAnswer);
    jobs.push(...page.rows);
    cursor = page.cursor;
  }
  if (json) return print(context, jsonText(jobs));
  if (jobs.length === 0) return say(context, "No jobs yet: ask your agent for one, or jr template list.");
  print(
    context,
    tableText(
      context,
      ["JOB", "STATE", "ACTIVE", "WAITS", "NEXT", "LAST RUN"],
      jobs.map((job) => row(context, job)),
    ),
  );
  const waiting = jobs.filter((job) => job.pending !== null && job.state !== "retired");
  for (const { name } of waiting) say(context, `to review and sign: ${personCommand(context.home, "approve", name)}`);
}

const pageAnswer = z.object({ rows: z.array(jobAnswer), cursor: z.string().nullable() });

function row(context: CliContext, { name, state, active, pending, next_slot, last_run }: JobAnswer): string[] {
  return [
    name,
    stateText(context, state),
    active === null ? "-" : `v${active}`,
    pending === null ? "-" : `v${pending}`,
    next_slot === null ? "-" : formatTime(next_slot, ownTimezone()),
    last_run === null ? "-" : `${formatRunId(last_run.id)} ${stateText(context, last_run.state)}`,
  ];
}
