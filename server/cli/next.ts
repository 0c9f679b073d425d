import { Command } from "commander";
import { z } from "zod";
import { formatTime } from "../format-time.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText, tableText } from "./show-list.ts";

type Options = { job?: string; limit: string; json?: boolean };

const answer = z.object({
  slots: z.array(
    z.object({
      job: z.string(),
      schedule_key: z.string(),
      version: z.int(),
      slot: z.coerce.date(),
      timezone: z.string(),
      words: z.string(),
    }),
  ),
});

/** `jr next`: what runs next, each in its schedule's own time zone. */
export function command(context: CliContext): Command {
  return new Command("next")
    .description("show which jobs run next, and when")
    .option("--job <name>", "only of this job")
    .option("--limit <n>", "how many, at most 500", "10")
    .option("--json", "print JSON")
    .action(async ({ json, ...filter }: Options) => {
      const client = await connectDaemon(context);
      const { slots } = await client.get(`/api/next?${new URLSearchParams(filter)}`, answer);
      if (json) return print(context, jsonText(slots));
      if (slots.length === 0) return say(context, "Nothing is scheduled: no active job has an approved schedule.");
      const rows = slots.map(({ job, version, slot, timezone, words }) => [
        formatTime(slot, timezone),
        `${job} v${version}`,
        words,
      ]);
      print(context, tableText(context, ["TIME", "JOB", "SCHEDULE"], rows));
    });
}
