import { Command } from "commander";
import { findDaemonInfo } from "../daemon/info.ts";
import { isHeldByWorker, isLocked } from "../daemon/lock.ts";
import { UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { type CliContext, print } from "./context.ts";
import { until } from "./wait.ts";

/** Runs get 10 s to end, and what follows is bounded too. */
const stopMs = 30_000;

/** `jr stop`: lets runs end, puts the rest back, and waits for the daemon's end. */
export function command(context: CliContext): Command {
  return new Command("stop")
    .description("stop the daemon, or the worker, of this home; runs get 10 seconds, then go back into the queue")
    .action(async () => {
      const what = isHeldByWorker(context.home) ? "The worker" : "JobRunner";
      const stopped = await stopDaemon(context);
      print(context, stopped ? `${what} stopped.` : `No daemon runs for ${context.home.root}.`);
    });
}

/** Whether there was one to stop. The pid is told by the holder of the lock, so it is no other process's. */
export async function stopDaemon({ home, signal }: CliContext): Promise<boolean> {
  if (!isLocked(home)) return false;
  const pid = findDaemonInfo(home)?.pid;
  if (pid === undefined) {
    throw new UserError("daemon_running", `A daemon holds ${home.root}, but ${home.info} does not say which.`, {
      next: personCommand(home, "doctor"),
    });
  }
  process.kill(pid, "SIGTERM");
  if (await until(() => !isLocked(home), { everyMs: 100, withinMs: stopMs, signal })) return true;
  throw new UserError("daemon_running", `It (pid ${pid}) has not ended after ${stopMs / 1000} s.`, {
    next: `kill -9 ${pid} ends it; what it was doing is resumed at the next start`,
  });
}
