import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { type Home, isBuilt, packageRoot, programRoot } from "../home.ts";

/**
 * Starts a daemon that outlives this process: detached, with none of our streams and not in our folder. What it says before
 * its own log is open stands in `logFile`.
 */
export function spawnDaemon(home: Home, env: NodeJS.ProcessEnv): { child: ChildProcess; logFile: string } {
  mkdirSync(home.logs, { recursive: true, mode: 0o700 });
  const logFile = join(home.logs, "daemon-start.log");
  const log = openSync(logFile, "w", 0o600);
  // jr.mjs has found already that what was built is what is to run, so that it need not compare again.
  const program = isBuilt ? join(programRoot, "server", "main.js") : join(packageRoot, "server", "jr.mjs");
  const child = spawn(process.execPath, [program, "daemon"], {
    cwd: home.root,
    env: {
      ...env,
      JOBRUNNER_HOME: home.root,
      NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? join(home.cache, "compile"),
    },
    detached: true,
    windowsHide: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  return { child, logFile };
}
