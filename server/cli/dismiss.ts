import { Command } from "commander";
import { z } from "zod";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { type DeadOptions, deadChoice } from "./dead-choice.ts";

/** `jr dismiss R152`: takes failed runs off the list of dead letters. */
export function command(context: CliContext): Command {
  return new Command("dismiss")
    .description("take failed runs off the list of dead letters; they can still be redriven by name")
    .argument("[runs...]", "such as R152")
    .option("--job <name>", "the dead letters of this job instead, at most 1,000")
    .option("--reason <code>", "of these, only with this reason")
    .option("--since <time>", "of these, only what ended within this time, such as 2d")
    .action(async (handles: string[], options: DeadOptions) => {
      const body = deadChoice(handles, options);
      const client = await connectDaemon(context);
      const answer = z.object({ dismissed: z.array(z.object({ run: z.string(), job: z.string() })) });
      const { dismissed } = await client.post("/api/dead/dismiss", body, answer);
      if (dismissed.length === 0) return say(context, "No dead letters fit.");
      for (const { run, job } of dismissed) print(context, `Dismissed: ${run} of ${job}.`);
    });
}
