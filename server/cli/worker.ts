import { join } from "node:path";
import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { guardProcess } from "../daemon/guard-process.ts";
import { startWorkerProcess } from "../daemon/start-worker-process.ts";
import { createLog } from "../log.ts";
import { type CliContext, say } from "./context.ts";
import { aborted } from "./wait.ts";

/** `jr worker`: executes runs of a daemon's database on this machine, until it is told to end. */
export function command(context: CliContext): Command {
  return new Command("worker")
    .description("execute runs of a shared PostgreSQL database here, in the foreground, until SIGTERM or Ctrl-C")
    .option("--log-stderr", "log to standard error too, as JSON lines")
    .action((options: { logStderr?: boolean }) => runWorker(context, options.logStderr === true));
}

async function runWorker(context: CliContext, logStderr: boolean): Promise<void> {
  const { home, env, signal } = context;
  const config = loadConfig(home, env);
  using log = createLog({ ...config.log, file: join(home.logs, "worker.log"), stderr: logStderr ? "json" : "off" });
  using _guard = guardProcess(log);
  const onProblem = (problem: string | null) => {
    if (problem !== null) say(context, `${problem}; trying again`);
  };
  await using worker = await startWorkerProcess({ config, log, env, signal, onProblem });
  const { name, max, labels } = worker.self;
  say(context, `worker ${name}: at most ${max} runs at once; labels ${labels.join(", ")}`);
  const problem = worker.problem();
  if (problem !== null) say(context, `it takes no runs yet: ${problem}`);
  await Promise.race([worker.outdated, aborted(signal)]);
  say(context, "stopping: runs get 10 seconds, then go back into the queue");
}
