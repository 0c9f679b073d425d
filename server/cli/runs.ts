import { Command } from "commander";
import { z } from "zod";
import { formatMs, formatTime } from "../format-time.ts";
import { visibleLine } from "../review/visible-text.ts";
import { readRunError } from "../runs/run-error.ts";
import { formatRunId } from "../runs/run-id.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { type RunAnswer, runAnswer } from "./run-answer.ts";
import { originText } from "./run-text.ts";
import { jsonText, ownTimezone, stateText, tableText } from "./show-list.ts";

type Options = { job?: string; state?: string; limit: string; cursor?: string; json?: boolean };

/** `jr runs`: what ran, latest first. */
export function command(context: CliContext): Command {
  return new Command("runs")
    .description("list runs, latest first")
    .option("--job <name>", "only of this job")
    .option("--state <state>", "only in this state, such as failed; dead: failed for good, and waiting for you")
    .option("--limit <n>", "how many, at most 500", "20")
    .option("--cursor <run>", "only runs before this one")
    .option("--json", "print JSON")
    .action((options: Options) => list(context, options));
}

async function list(context: CliContext, { json, ...filter }: Options): Promise<void> {
  const client = await connectDaemon(context);
  const answer = z.object({ rows: z.array(runAnswer), cursor: z.string().nullable() });
  const page = await client.get(`/api/runs?${new URLSearchParams(filter)}`, answer);
  if (json) return print(context, jsonText(page));
  if (page.rows.length === 0) return say(context, "No runs.");
  print(
    context,
    tableText(
      context,
      ["RUN", "JOB", "STATE", "STARTED", "TOOK", "ASKED FOR", "ERROR"],
      page.rows.map((run) => row(context, run)),
    ),
  );
  if (page.cursor !== null) say(context, `older ones: --cursor ${page.cursor}`);
}

function row(context: CliContext, run: RunAnswer): string[] {
  const { started_at, finished_at } = run;
  const error = readRunError(run.error);
  return [
    formatRunId(run.id),
    `${run.job}${run.version === null ? "" : ` v${run.version}`}`,
    stateText(context, run.state),
    started_at === null ? `due ${formatTime(run.run_at, ownTimezone())}` : formatTime(started_at, ownTimezone()),
    started_at === null || finished_at === null ? "-" : formatMs(finished_at.getTime() - started_at.getTime()),
    originText(run),
    error === null ? "" : visibleLine(`${error.reason}: ${error.message}`).slice(0, 80),
  ];
}
