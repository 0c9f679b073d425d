import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { type CliContext, print } from "./context.ts";
import { runLoudly, runQuietly } from "./run-command.ts";
import { launchdPlist, type ServiceTarget } from "./service-files.ts";

const launchctl = "/bin/launchctl";

/** A launchd agent of this user; it starts at log-in. */
export async function installLaunchd(context: CliContext, name: string, target: ServiceTarget): Promise<void> {
  const file = plistFile(context, name);
  requireLaunchctl();
  mkdirSync(dirname(file), { recursive: true });
  // What is loaded already keeps its old text, so it goes first; there may be none.
  await runQuietly(context, [launchctl, "bootout", `${domain()}/${name}`]);
  writeFileSync(file, launchdPlist(target, name));
  print(context, `wrote: ${file}`);
  const { code } = await runLoudly(context, [launchctl, "bootstrap", domain(), file]);
  if (code !== 0) {
    throw new UserError("unsupported", `launchd refused; ${file} is written.`, {
      next: `launchctl print ${domain()}/${name}`,
    });
  }
  print(context, `The ${target.role} starts when you log in, and runs now.`);
}

/** Stops and removes it. */
export async function uninstallLaunchd(context: CliContext, name: string): Promise<void> {
  const file = plistFile(context, name);
  if (!existsSync(file)) return print(context, `Not installed: there is no ${file}.`);
  requireLaunchctl();
  await runLoudly(context, [launchctl, "bootout", `${domain()}/${name}`]);
  rmSync(file);
  print(context, `removed: ${file}`);
}

/** Tells whether it is installed and loaded. */
export async function statusLaunchd(context: CliContext, name: string): Promise<void> {
  const file = plistFile(context, name);
  if (!existsSync(file)) return print(context, `not installed: there is no ${file}`);
  requireLaunchctl();
  const { code, output } = await runQuietly(context, [launchctl, "print", `${domain()}/${name}`]);
  const state = /^\s*state = (.+)$/m.exec(output)?.[1];
  print(context, `installed: ${file}\nloaded: ${code === 0 ? "yes" : "no"}${state === undefined ? "" : `, ${state}`}`);
}

function requireLaunchctl(): void {
  if (existsSync(launchctl)) return;
  throw new UserError("unsupported", `There is no ${launchctl}, so nothing was changed.`);
}

function domain(): string {
  return `gui/${userInfo().uid}`;
}

function plistFile({ env }: CliContext, name: string): string {
  return join(env.HOME || homedir(), "Library", "LaunchAgents", `${name}.plist`);
}
