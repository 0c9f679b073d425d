import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { findDaemonInfo } from "../daemon/info.ts";
import { homeIsHeld, isHeldByWorker, isLocked } from "../daemon/lock.ts";
import { UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { type CliContext, print } from "./context.ts";
import { spawnDaemon } from "./spawn-daemon.ts";
import { until } from "./wait.ts";

const startMs = 30_000;

/** `jr start`: a daemon that outlives this command. */
export function command(context: CliContext): Command {
  return new Command("start").description("start the daemon in the background").action(async () => {
    if (isHeldByWorker(context.home)) throw homeIsHeld(context.home);
    if (isLocked(context.home)) {
      const pid = findDaemonInfo(context.home)?.pid;
      return print(context, `JobRunner runs already${pid === undefined ? "" : ` (pid ${pid})`}: ${context.home.root}`);
    }
    await startDetached(context);
  });
}

/** Starts a daemon and waits until it is ready. Throws `daemon_down` with what it said where it ends before that. */
export async function startDetached(context: CliContext): Promise<void> {
  const { home, env, signal } = context;
  // A mistake in the settings is told here, rather than through the child's log.
  loadConfig(home, env);
  const { child, logFile } = spawnDaemon(home, env);
  let ended = false;
  child.once("exit", () => {
    ended = true;
  });
  child.once("error", () => {
    ended = true;
  });
  const health = async () => ended || (findDaemonInfo(home)?.pid === child.pid && (await isReady(context)));
  const settled = await until(health, { everyMs: 50, withinMs: startMs, signal });
  child.unref();
  if (ended) {
    throw new UserError("daemon_down", `The daemon did not start:\n${lastLines(logFile)}`, {
      next: personCommand(home, "doctor"),
    });
  }
  const info = findDaemonInfo(home);
  if (settled) return print(context, `JobRunner runs (pid ${child.pid}): ${info?.url ?? ""}`);
  if (signal.aborted) throw new UserError("aborted", "Stopped waiting; the daemon goes on starting.");
  print(context, `JobRunner starts (pid ${child.pid}) but is not ready yet: its store does not answer.`);
  print(context, `See ${personCommand(home, "status")} and ${join(home.logs, "daemon.log")}.`);
}

/** Whether the daemon of this home answers and its store is open. */
export async function isReady({ home, signal }: Pick<CliContext, "home" | "signal">): Promise<boolean> {
  const url = findDaemonInfo(home)?.url;
  if (!url) return false;
  try {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
    const response = await fetch(new URL("healthz", url), { signal: bound });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .slice(-10)
      .map((line) => `  ${line}`)
      .join("\n");
  } catch {
    return "";
  }
}
