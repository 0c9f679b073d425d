import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { type Home, packageRoot } from "../home.ts";

/**
 * Starts a daemon that outlives this process: detached, with none of our streams and not in our folder. What it says before
 * its own log is open stands in `logFile`.
 */
export function spawnDaemon(home: Home, env: NodeJS.ProcessEnv): { child: ChildProcess; logFile: string } {
  mkdirSync(home.logs, { recursive: true, mode: 0o700 });
  const logFile = join(home.logs, "daemon-start.log");
  const log = openSync(logFile, "w", 0o600);
  const child = spawn(process.execPath, [join(packageRoot, "server", "jr.mjs"), "daemon"], {
    cwd: home.root,
    env: { ...env, JOBRUNNER_HOME: home.root },
    detached: true,
    windowsHide: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  return { child, logFile };
}
