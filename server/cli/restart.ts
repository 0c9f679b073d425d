import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { homeIsHeld, isHeldByWorker } from "../daemon/lock.ts";
import type { CliContext } from "./context.ts";
import { startDetached } from "./start.ts";
import { stopDaemon } from "./stop.ts";

/** `jr restart`: stop, then start. */
export function command(context: CliContext): Command {
  return new Command("restart").description("stop the daemon and start it again").action(async () => {
    if (isHeldByWorker(context.home)) throw homeIsHeld(context.home);
    // Wrong settings must not stop a daemon that runs.
    loadConfig(context.home, context.env);
    await stopDaemon(context);
    await startDetached(context);
  });
}
