import { Command } from "commander";
import { z } from "zod";
import { personCommand } from "../person-command.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { jobAnswer } from "./job-answer.ts";

/** `jr pause NAME`: needs no signature, since it only makes things safer; lifting it does. */
export function command(context: CliContext): Command {
  return new Command("pause")
    .description("stop a job's schedule until you sign that it may go on")
    .argument("<name>", "the job")
    .option("--reason <text>", "kept with the pause; agents read this")
    .action(async (name: string, { reason }: { reason?: string }) => {
      const client = await connectDaemon(context);
      const path = `/api/jobs/${encodeURIComponent(name)}/pause`;
      await client.post(path, { reason: reason ?? null }, z.object({ job: jobAnswer }));
      print(context, `Paused: ${name}. A run that goes on goes on.`);
      say(context, `to lift it: ${personCommand(context.home, "resume", name)}`);
    });
}
