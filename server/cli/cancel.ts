import { Command } from "commander";
import { z } from "zod";
import { formatRunId, parseRunId } from "../runs/run-id.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { runAnswer } from "./run-answer.ts";

/** `jr cancel R12`: ends a run that waits or goes on. */
export function command(context: CliContext): Command {
  return new Command("cancel")
    .description("cancel a run that waits or goes on")
    .argument("<run>", "such as R12")
    .action(async (handle: string) => {
      const id = parseRunId(handle);
      const client = await connectDaemon(context);
      const { run } = await client.post(`/api/runs/${id}/cancel`, {}, z.object({ run: runAnswer }));
      const done = run.state === "cancelled" ? "Cancelled" : "Told to stop";
      print(context, `${done}: ${formatRunId(id)} of ${run.job}.`);
    });
}
