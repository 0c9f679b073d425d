import { UserError } from "../errors.ts";

const pattern = /^[a-z][a-z0-9-]{0,62}$/;

/** Names that the operating systems on which the folder may lie keep for devices. */
const reserved = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/;

/** Why a name cannot be a job's; undefined for a good one. */
export function findNameProblem(name: string): string | undefined {
  if (name === "jobrunner" || name === "node-modules" || reserved.test(name)) return `"${name}" is a reserved name`;
  if (pattern.test(name)) return undefined;
  return `${JSON.stringify(name.slice(0, 80))} cannot name a job: lower-case letters, digits and dashes, a letter first, at most 63 characters`;
}

/** Throws `invalid_name`. */
export function requireJobName(name: string): void {
  const found = findNameProblem(name);
  if (found !== undefined)
    throw new UserError("invalid_name", `${found}.`, { next: 'use a name such as "feed-watch"' });
}

/** The job that a file of the jobs folder (path relative to it) is the entry of: `NAME.ts` or `NAME/index.ts`. */
export function jobOfEntry(path: string): string | undefined {
  const name = /^([^/]+)\.ts$/.exec(path)?.[1] ?? /^([^/]+)\/index\.ts$/.exec(path)?.[1];
  return name === undefined || name.endsWith(".d") || findNameProblem(name) !== undefined ? undefined : name;
}
