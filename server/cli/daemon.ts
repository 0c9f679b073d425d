import { join } from "node:path";
import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { guardProcess } from "../daemon/guard-process.ts";
import { startDaemon } from "../daemon/start-daemon.ts";
import { createLog } from "../log.ts";
import { type CliContext, say } from "./context.ts";
import { aborted } from "./wait.ts";

/** `jr daemon`: the daemon in the foreground, as services, containers and the other commands start it. */
export function command(context: CliContext): Command {
  return new Command("daemon")
    .description("run the daemon in the foreground, logging to its file (for services and containers)")
    .option("--log-stderr", "log to standard error too, as JSON lines")
    .action((options: { logStderr?: boolean }) => runDaemon(context, options.logStderr === true));
}

async function runDaemon(context: CliContext, logStderr: boolean): Promise<void> {
  const { home, env, signal } = context;
  const config = loadConfig(home, env);
  using log = createLog({ ...config.log, file: join(home.logs, "daemon.log"), stderr: logStderr ? "json" : "off" });
  using _guard = guardProcess(log);
  await using daemon = await startDaemon({ config, log, env });
  await Promise.race([daemon.ready, aborted(signal)]);
  await Promise.race([daemon.outdated, aborted(signal)]);
  say(context, "stopping");
}
