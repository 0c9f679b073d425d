import { Command } from "commander";
import { z } from "zod";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { jobAnswer } from "./job-answer.ts";
import { requireYes } from "./passphrase.ts";

/** `jr retire NAME`: ends a job for good. */
export function command(context: CliContext): Command {
  return new Command("retire")
    .description("end a job for good; its versions and runs stay readable")
    .argument("<name>", "the job")
    .option("--yes", "do not ask to confirm")
    .action(async (name: string, options: { yes?: boolean }) => {
      const client = await connectDaemon(context);
      const path = `/api/jobs/${encodeURIComponent(name)}`;
      const { job } = await client.get(path, z.object({ job: jobAnswer }));
      if (job.state === "retired") return print(context, `${name} is retired already.`);
      await requireYes(context, `Retire ${name}? It never runs again, and its name cannot be used again.`, options);
      await client.post(`${path}/retire`, {}, z.object({ job: jobAnswer }));
      print(context, `Retired: ${name}.`);
    });
}
