#!/usr/bin/env node
// The command `jr`, in JavaScript that any Node from 18 on can parse: it looks for a Node that is new enough for the rest.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
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
  const isPackage = !existsSync(join(here, "main.ts"));
  await import(isPackage || builtIsCurrent() ? "../dist/server/main.js" : "./main.ts");
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

/**
 * Whether what was built in this clone is of these very sources: who changes them runs what they wrote. A host waits for `jr mcp` at
 * each session, and it is few of them.
 */
function builtIsCurrent() {
  const isBridge = process.argv[2] === "mcp" && process.argv.length === 3;
  try {
    const root = join(here, "..");
    const { bridge, others } = JSON.parse(readFileSync(join(root, "dist", "sources.json"), "utf8"));
    return [...bridge, ...(isBridge ? [] : others)].every(([path, bytes, changedMs]) => {
      const { size, mtimeMs } = statSync(`${root}/${path}`);
      return size === bytes && mtimeMs === changedMs;
    });
  } catch {
    // Not built, or a source is gone.
    return false;
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
