import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { guardProcess } from "../daemon/guard-process.ts";
import { isHeldByWorker, isLocked } from "../daemon/lock.ts";
import { startDaemon } from "../daemon/start-daemon.ts";
import { createLog } from "../log.ts";
import { connectDaemon } from "./client.ts";
import { connectLines } from "./connect-text.ts";
import { type CliContext, print, say } from "./context.ts";
import { followRuns } from "./follow-runs.ts";
import { type Paint, painter } from "./paint.ts";
import { isReady } from "./start.ts";
import { statusAnswer } from "./status-answer.ts";
import { statusText } from "./status-text.ts";
import { aborted, until } from "./wait.ts";

const hour = 3_600_000;

/** `jr up`: the daemon in the foreground with a line for whatever happens; what `npm start` runs. */
export function command(context: CliContext): Command {
  return new Command("up")
    .description("start JobRunner here and show what happens; attaches where it runs already")
    .action(() => (isLocked(context.home) && !isHeldByWorker(context.home) ? attach(context) : runHere(context)));
}

/** Longer than the first start takes on a slow machine. */
const slowMs = 15_000;

async function runHere(context: CliContext): Promise<void> {
  const { home, env, signal } = context;
  const config = loadConfig(home, env);
  using log = createLog({ ...config.log, file: join(home.logs, "daemon.log"), stderr: "off" });
  using _guard = guardProcess(log);
  await using daemon = await startDaemon({ config, log, env });
  if (config.databaseUrl === null && !existsSync(home.data)) {
    say(context, "First start: making the embedded database, which takes some seconds.");
  }
  const slow = setTimeout(() => say(context, `The store is not open yet; see ${home.logs}/daemon.log.`), slowMs);
  try {
    await Promise.race([daemon.ready, aborted(signal)]);
  } finally {
    clearTimeout(slow);
  }
  if (!signal.aborted) await Promise.race([daemon.outdated, show(context, "Ctrl-C stops it.")]);
  say(context, "Stopping: runs get 10 seconds. Ctrl-C again ends it at once.");
}

async function attach(context: CliContext): Promise<void> {
  const { signal } = context;
  if (!(await until(() => isReady(context), { everyMs: 100, withinMs: hour, signal }))) return;
  await show(context, "It was running already. Ctrl-C leaves it running.");
  say(context, "Detached; JobRunner goes on.");
}

/** Status, how to connect, then a line per run until the person has seen enough. */
async function show(context: CliContext, ending: string): Promise<void> {
  const paint = painter(context);
  const client = await connectDaemon(context);
  print(context, statusText(await client.get("/api/status", statusAnswer), context.home, paint));
  print(context, hosts(context, paint));
  print(context, `\n${paint("dim", ending)}\n`);
  await followRuns(context, paint);
}

function hosts({ home }: CliContext, paint: Paint): string {
  return ["", paint("bold", "Connect your host"), ...connectLines(home).map((line) => `  ${line}`)].join("\n");
}
