import { Command } from "commander";
import { isLocked } from "../daemon/lock.ts";
import { connectDaemon, daemonDown } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { painter } from "./paint.ts";
import { statusAnswer } from "./status-answer.ts";
import { statusText } from "./status-text.ts";

/** `jr status`: what runs, what waits for the person, what is wrong. */
export function command(context: CliContext): Command {
  return new Command("status")
    .description("show what runs, what waits for you and what is wrong")
    .option("--json", "as JSON")
    .action(async (options: { json?: boolean }) => {
      if (!isLocked(context.home)) throw daemonDown(context.home);
      const client = await connectDaemon(context);
      const status = await client.get("/api/status", statusAnswer);
      print(
        context,
        options.json ? JSON.stringify(status, null, 2) : statusText(status, context.home, painter(context)),
      );
    });
}
