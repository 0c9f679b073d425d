#!/usr/bin/env node
// The command `jr`, in JavaScript that any Node from 18 on can parse: it looks for a Node that is new enough for the rest.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const needed = [24, 12];
const here = dirname(fileURLToPath(import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > needed[0] || (major === needed[0] && minor >= needed[1])) {
  // Never Node's default in the shared temporary folder: whoever made that first could put code into it, and this runs it.
  const home = process.env.JOBRUNNER_HOME || join(homedir(), ".jobrunner");
  if (existsSync(home)) nodeModule.enableCompileCache?.(join(home, "cache", "compile"));
  const program = existsSync(join(here, "main.ts")) ? "./main.ts" : "../dist/server/main.js";
  await import(program);
} else {
  const own = join(here, "..", "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(own)) runWith(own);
  else {
    process.stderr.write(
      `error: JobRunner needs Node ${needed.join(".")} or newer; this is ${process.versions.node}.\n` +
        `next: in a clone run \`npm ci\`, which brings one along; else install it from https://nodejs.org\n`,
    );
    process.exitCode = 1;
  }
}

/** Runs the same command on another Node; signals go on to it, and its end is ours. */
function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  // A plain kill reaches this process alone. What a terminal sends to both comes twice, which main.ts counts as once.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`error: cannot start ${node}: ${error.message}\nnext: npm ci\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
