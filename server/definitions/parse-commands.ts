import { stringify } from "yaml";
import { z } from "zod";
import { type Diagnostic, problem } from "../jobs/diagnostic.ts";
import { freezeExec } from "../jobs/freeze-exec.ts";
import type { Folders } from "../jobs/freeze-path.ts";
import type { ManifestProblem } from "../jobs/manifest-problems.ts";
import type { CommandManifest } from "./command-manifest.ts";
import { findNameProblem } from "./definition-name.ts";
import { parseYaml } from "./definition-text.ts";
import { durationBetween } from "./role-declaration.ts";

const second = 1_000;
const hour = 3_600_000;
const mebibyte = 1024 * 1024;

/** What commands.yaml says of one command. Every default of a command stands here and nowhere else. */
const declaration = z.strictObject({
  description: z.string("must say what it does").trim().min(1, "must say what it does").max(500),
  program: z.string("must be the whole path of a program").min(1).max(4_096),
  args: z.array(z.string().max(4_096), "must be a list of patterns, one for each argument").max(100).default([]),
  cwd: z.string().max(4_096).nullable().default(null),
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "must be the name of an environment variable"))
    .max(50)
    .default([]),
  secrets: z
    .array(z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, "must be the name of a secret such as NPM_TOKEN"))
    .max(50)
    .default([]),
  timeout: durationBetween(second, 24 * hour).prefault("5m"),
  outputBytes: z
    .int()
    .min(1_024)
    .max(64 * mebibyte)
    .default(mebibyte),
});

const file = z.record(z.string(), declaration);

export type FoundCommand = Readonly<{ name: string; source: string; manifest: CommandManifest }>;

/** Reads commands.yaml: commands by name. One command's mistake leaves the others as they are, as long as the file can be read. */
export function parseCommands(
  text: string,
  path: string,
  folders: Folders,
): Readonly<{ commands: readonly FoundCommand[]; names: readonly string[]; problems: readonly Diagnostic[] }> {
  const parsed = parseYaml(text, file, { file: path, noun: "key" });
  if (!parsed.ok) return { commands: [], names: [], problems: parsed.problems };
  const { data, lineOf } = parsed.value;
  const problems: Diagnostic[] = [];
  const commands = Object.entries(data).flatMap(([name, declared]): FoundCommand[] => {
    const found: ManifestProblem[] = [];
    const wrongName = findNameProblem("command", name);
    if (wrongName !== undefined) found.push({ path: "", message: wrongName, hint: null });
    const { description, program, args, cwd, env, secrets, timeout, outputBytes } = declared;
    const exec = freezeExec({ command: program, args, cwd, env: {}, repeatable: false }, "", folders, found);
    for (const { path: place, message, hint } of found) {
      const key = place.replace(/^\./, "").replace("command", "program").split(".")[0] ?? "";
      problems.push(problem(path, `${name}: ${message}`, hint, { line: lineOf(name, ...(key === "" ? [] : [key])) }));
    }
    if (found.length > 0) return [];
    const manifest = {
      description,
      program: exec.command,
      args: exec.args,
      cwd: exec.cwd,
      env: [...new Set(env)].sort(),
      secrets: [...new Set(secrets)].sort(),
      timeoutMs: timeout,
      outputBytes,
    };
    return [{ name, manifest, source: stringify(declared) }];
  });
  return { commands, names: Object.keys(data), problems };
}
