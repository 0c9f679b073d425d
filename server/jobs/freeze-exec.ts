import { basename, isAbsolute } from "node:path";
import type { Declared } from "./declaration-schema.ts";
import { type Folders, freezePath } from "./freeze-path.ts";
import type { ExecGrant } from "./manifest.ts";
import type { ManifestProblem } from "./manifest-problems.ts";

/** A program with its argument patterns; what cannot be granted is added to `problems`. */
export function freezeExec(
  { command, args, cwd, env, repeatable }: Declared["permissions"]["exec"][number],
  path: string,
  folders: Folders,
  problems: ManifestProblem[],
): ExecGrant {
  const frozen = freezeCommand(command, `${path}.command`, folders, problems);
  args.forEach((pattern, index) => {
    const problem = findPatternProblem(pattern, index === args.length - 1);
    if (problem !== undefined) problems.push({ path: `${path}.args.${index}`, ...problem });
  });
  for (const [name, value] of Object.entries(env)) {
    if (value.includes("\0"))
      problems.push({ path: `${path}.env.${name}`, message: `the value of ${name} holds NUL`, hint: "leave it out" });
  }
  const folder = cwd === null ? null : (freezePath(cwd, `${path}.cwd`, folders, problems) ?? cwd);
  return { command: frozen, args, cwd: folder, env, repeatable };
}

function freezeCommand(written: string, path: string, folders: Folders, problems: ManifestProblem[]): string {
  if (isAbsolute(written)) return freezePath(written, path, folders, problems) ?? written;
  // No search along PATH: what is signed must be what is started.
  problems.push({
    path,
    message: `${JSON.stringify(written.slice(0, 100))} is not the whole path of a program`,
    hint: /\s/.test(written)
      ? 'command is the program alone, such as "/usr/bin/git"; its arguments stand in args, one text each'
      : `such as "/usr/bin/${basename(written)}"; on the person's machine \`command -v ${basename(written)}\` tells it`,
  });
  return written;
}

function findPatternProblem(pattern: string, isLast: boolean): Omit<ManifestProblem, "path"> | undefined {
  const shown = JSON.stringify(pattern.slice(0, 100));
  if (pattern.includes("\0")) return { message: `${shown} holds NUL`, hint: "no argument can hold it" };
  if (!pattern.includes("**") || (pattern === "**" && isLast)) return undefined;
  return {
    message: `${shown}: "**" stands for any number of further arguments, so it is a whole pattern and the last one`,
    hint: 'within one argument "*" stands for any characters',
  };
}
