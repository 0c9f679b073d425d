import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { programRoot } from "../home.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { problem } from "./diagnostic.ts";
import type { SnapshotFolder } from "./snapshot-folder.ts";
import { typeHint } from "./type-hints.ts";

const checkTimeoutMs = 20_000;
const outputBytes = 4 * 1024 * 1024;

/** Types of the module "jobrunner" and of the sandbox's globals. */
export const jobTypes = join(programRoot, "server", "sandbox", "jobrunner.d.ts");

/** Compiler options of a job, for our checker and for editors alike. */
export const jobCompilerOptions = {
  target: "es2024",
  lib: ["es2024", "esnext.disposable"],
  module: "esnext",
  moduleResolution: "bundler",
  moduleDetection: "force",
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  types: [],
} as const;

/** Type-checks the snapshot with the native compiler, in a process of its own that is killed when it takes too long. */
export async function checkTypes({ root, files }: SnapshotFolder, entry: string): Promise<Diagnostic[]> {
  const config = join(root, "tsconfig.json");
  const include = [jobTypes, join(files, entry)];
  await writeFile(config, JSON.stringify({ compilerOptions: jobCompilerOptions, files: include }));
  const { output, trouble } = await runCompiler(["--pretty", "false", "-p", config], root);
  if (trouble !== null) return [problem(entry, trouble, "make the types simpler")];
  return parseOutput(output, (path) => relative(files, join(root, path)).split(sep).join("/"));
}

function runCompiler(args: string[], cwd: string): Promise<{ output: string; trouble: string | null }> {
  return new Promise((done, failed) => {
    const options = {
      cwd,
      timeout: checkTimeoutMs,
      killSignal: "SIGKILL",
      maxBuffer: outputBytes,
      env: {},
      windowsHide: true,
    } as const;
    execFile(compilerPath(), args, options, (error, stdout, stderr) => {
      if (error === null) return done({ output: stdout, trouble: null });
      if (error.killed)
        return done({
          output: "",
          trouble: `type-checking took longer than ${checkTimeoutMs / 1_000} s and was stopped`,
        });
      if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
        return done({ output: stdout.slice(0, 64_000), trouble: null });
      // Exit codes 1 and 2 mean that there are findings.
      if (error.code === 1 || error.code === 2) return done({ output: stdout, trouble: null });
      failed(new Error(`the type checker failed: ${stderr.slice(0, 500) || error.message}`, { cause: error }));
    });
  });
}

/** The native program inside the package `typescript`; called directly, since its launcher costs another start of Node. */
function compilerPath(): string {
  const here = createRequire(import.meta.url);
  const inside = createRequire(here.resolve("typescript/package.json"));
  const folder = dirname(inside.resolve(`@typescript/typescript-${process.platform}-${process.arch}/package.json`));
  const path = join(folder, "lib", process.platform === "win32" ? "tsc.exe" : "tsc");
  if (!existsSync(path)) throw new Error(`the type checker is not installed: ${path}`);
  return path;
}

/** Lines of the form `path(line,column): error TS2322: message`, each followed by indented lines that explain it. */
function parseOutput(output: string, pathOf: (path: string) => string): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const line of output.split(/\r?\n/)) {
    const match = /^(.+?)\((\d+),(\d+)\): (?:error|warning) (TS\d+): (.*)$/.exec(line);
    if (match !== null) {
      const [, path = "", row = "1", column = "1", code = "", message = ""] = match;
      const untyped = code === "TS7016";
      found.push({
        file: pathOf(path),
        line: Number(row),
        column: Number(column),
        message: `${message} (${code})`,
        hint: typeHint(code, message),
        severity: untyped ? "warning" : "error",
      });
      continue;
    }
    const global = /^error (TS\d+): (.*)$/.exec(line);
    if (global !== null) throw new Error(`the type checker refused its settings: ${global[2]}`);
    const last = found.at(-1);
    if (last !== undefined && /^\s+\S/.test(line))
      found[found.length - 1] = { ...last, message: `${last.message}\n${line.trimEnd()}` };
  }
  return found.filter(({ file }) => !file.includes("node_modules/"));
}
