import { Command } from "commander";
import { z } from "zod";
import { formatTime } from "../format-time.ts";
import { visibleLine } from "../review/visible-text.ts";
import { formatRunId } from "../runs/run-id.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText, ownTimezone, tableText } from "./show-list.ts";

type Options = { job?: string; limit: string; json?: boolean };

const answer = z.object({
  slots: z.array(
    z.object({
      job: z.string(),
      schedule_key: z.string(),
      version: z.int(),
      slot: z.coerce.date(),
      start: z.coerce.date(),
      timezone: z.string(),
      words: z.string(),
    }),
  ),
  waiting: z.array(
    z.object({
      id: z.int(),
      job: z.string(),
      run_at: z.coerce.date(),
      trigger: z.string(),
      slot: z.coerce.date().nullable(),
      attempt: z.int(),
      requested_by: z.string(),
    }),
  ),
  triggers: z.array(z.object({ job: z.string(), words: z.string() })),
});
type Answer = z.infer<typeof answer>;

/** `jr next`: what runs next, each in its schedule's own time zone, and what else starts jobs. */
export function command(context: CliContext): Command {
  return new Command("next")
    .description("show which jobs run next, and when; and what else starts jobs")
    .option("--job <name>", "only of this job")
    .option("--limit <n>", "how many, at most 500", "10")
    .option("--json", "print JSON")
    .action(async ({ json, ...filter }: Options) => {
      const client = await connectDaemon(context);
      const found = await client.get(`/api/next?${new URLSearchParams(filter)}`, answer);
      if (json) return print(context, jsonText(found));
      const rows = timeRows(found).slice(0, Number(filter.limit));
      if (rows.length > 0) print(context, tableText(context, ["TIME", "JOB", "WHY"], rows));
      else say(context, "Nothing is scheduled: no active job has an approved schedule, and no run waits for its time.");
      if (found.triggers.length === 0) return;
      const triggers = found.triggers.map(({ job, words }) => [job, visibleLine(words)]);
      print(context, `\n${tableText(context, ["JOB", "STARTED"], triggers)}`);
    });
}

function timeRows({ slots, waiting }: Answer): string[][] {
  const coming = slots.map(({ job, version, slot, start, timezone, words }) => {
    const why = start.getTime() === slot.getTime() ? words : `${words}; slot ${formatTime(slot, timezone)}, jitter`;
    return { at: start, cells: [formatTime(start, timezone), `${job} v${version}`, why] };
  });
  const queued = waiting.map((run) => ({
    at: run.run_at,
    cells: [formatTime(run.run_at, ownTimezone()), run.job, `${formatRunId(run.id)}, ${whyWaiting(run)}`],
  }));
  return [...coming, ...queued].sort((a, b) => a.at.getTime() - b.at.getTime()).map(({ cells }) => cells);
}

function whyWaiting({ attempt, slot, requested_by }: Answer["waiting"][number]): string {
  if (attempt > 0) return `tried again after attempt ${attempt}`;
  if (slot !== null) return `slot ${formatTime(slot, ownTimezone())}, jitter`;
  return `asked for by ${visibleLine(requested_by)}`;
}
