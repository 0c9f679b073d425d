import { UserError } from "../errors.ts";
import type { ExecGrant, Manifest } from "../jobs/manifest.ts";
import { resolvePath } from "./path-grant.ts";

export type Started = Readonly<{ command: string; args: readonly string[]; cwd: string | null }>;

/** The first grant that covers this call. Throws `permission_denied` where none does. */
export function requireExecGrant({ permissions }: Manifest, { command, args, cwd }: Started): ExecGrant {
  const folder = cwd === null ? null : resolvePath(cwd);
  const ofCommand = permissions.exec.filter((grant) => grant.command === command);
  const fitting = ofCommand.filter((grant) => fitsPatterns(args, grant.args));
  const grant = fitting.find((each) => folder === null || folder === startFolder(each));
  if (grant !== undefined) return grant;
  const line = JSON.stringify([command, ...args]).slice(0, 300);
  const missing =
    fitting.length > 0
      ? `in "${cwd}": leave cwd out, or name that folder as the cwd of its grant in permissions.exec`
      : ofCommand.length > 0
        ? "with these arguments: its grant in permissions.exec has one pattern for each"
        : `: add { command: ${JSON.stringify(command)}, args: [...] } to permissions.exec in defineJob`;
  throw new UserError(
    "permission_denied",
    `This job may not start ${line}${missing.startsWith(":") ? "" : " "}${missing}.`,
  );
}

/** The folder that a grant's program starts in; null for the run's own. */
export function startFolder({ cwd }: ExecGrant): string | null {
  return cwd === null ? null : resolvePath(cwd);
}

/**
 * Whether each argument fits its pattern: `*` stands for any characters, and `**` as the last pattern for any further arguments.
 * What begins with `-` fits only a pattern that does, since an option can do anything.
 */
export function fitsPatterns(args: readonly string[], patterns: readonly string[]): boolean {
  const open = patterns.at(-1) === "**";
  const each = open ? patterns.slice(0, -1) : patterns;
  if (open ? args.length < each.length : args.length !== each.length) return false;
  return args.every((arg, i) => fits(arg, each[i] ?? "*"));
}

function fits(arg: string, pattern: string): boolean {
  if (arg.startsWith("-") && !pattern.startsWith("-")) return false;
  // By hand: a regular expression of many stars takes for ever on hostile text.
  const [first = "", ...others] = pattern.split("*");
  const last = others.pop();
  if (last === undefined) return arg === first;
  if (!arg.startsWith(first)) return false;
  let from = first.length;
  for (const part of others) {
    const found = arg.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return arg.length - last.length >= from && arg.endsWith(last);
}
