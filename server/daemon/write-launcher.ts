import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Home, packageRoot } from "../home.ts";
import { shellQuote } from "../person-command.ts";
import { replaceFile } from "../private-file.ts";

/** The program that the launcher, a service and a detached daemon start. */
export const jrProgram = join(packageRoot, "server", "jr.mjs");

/**
 * Writes the command that hosts and people call: with absolute paths and this home baked in, it works from any folder and
 * in an environment without PATH. Written anew at each start, since the program may have moved.
 */
export function writeLauncher(home: Home, env: NodeJS.ProcessEnv): void {
  const text = process.platform === "win32" ? windowsLauncher(home, env) : shellLauncher(home, env);
  if (existsSync(home.launcher) && readFileSync(home.launcher, "utf8") === text) return;
  replaceFile(home.launcher, text, 0o755);
}

function baked(home: Home, env: NodeJS.ProcessEnv): [string, string][] {
  const jobs = env.JOBRUNNER_JOBS;
  return [["JOBRUNNER_HOME", home.root], ...(jobs ? [["JOBRUNNER_JOBS", jobs] satisfies [string, string]] : [])];
}

function shellLauncher(home: Home, env: NodeJS.ProcessEnv): string {
  const lines = baked(home, env).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  return `#!/bin/sh\n# Made by JobRunner at each start of its daemon.\n${lines.join("\n")}\nexec ${shellQuote(process.execPath)} ${shellQuote(jrProgram)} "$@"\n`;
}

function windowsLauncher(home: Home, env: NodeJS.ProcessEnv): string {
  const lines = baked(home, env).map(([name, value]) => `set "${name}=${value}"`);
  return `@echo off\r\n${lines.join("\r\n")}\r\n"${process.execPath}" "${jrProgram}" %*\r\n`;
}
