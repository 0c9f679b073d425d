import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { findProgram } from "../find-program.ts";
import { type CliContext, print, say } from "./context.ts";
import { runLoudly, runQuietly } from "./run-command.ts";
import { type ServiceTarget, systemdUnit } from "./service-files.ts";

/** A service of this user under systemd, which outlives logging out only with lingering. */
export async function installSystemd(context: CliContext, name: string, target: ServiceTarget): Promise<void> {
  const systemctl = await requireSystemctl(context);
  const file = unitFile(context, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, systemdUnit(target, null));
  print(context, `wrote: ${file}`);
  const done = [await runLoudly(context, [systemctl, "--user", "daemon-reload"])];
  done.push(await runLoudly(context, [systemctl, "--user", "enable", "--now", `${name}.service`]));
  if (done.some(({ code }) => code !== 0)) {
    throw new UserError("unsupported", `systemd refused; ${file} is written.`, {
      next: `systemctl --user status ${name}.service`,
    });
  }
  print(context, `The ${target.role} starts when you log in, and runs now.`);
  await sayLingering(context);
}

/** Stops and removes it. */
export async function uninstallSystemd(context: CliContext, name: string): Promise<void> {
  const file = unitFile(context, name);
  if (!existsSync(file)) return print(context, `Not installed: there is no ${file}.`);
  const systemctl = await requireSystemctl(context);
  await runLoudly(context, [systemctl, "--user", "disable", "--now", `${name}.service`]);
  rmSync(file);
  print(context, `removed: ${file}`);
  await runLoudly(context, [systemctl, "--user", "daemon-reload"]);
}

/** Tells whether it is installed, enabled and running. */
export async function statusSystemd(context: CliContext, name: string): Promise<void> {
  const file = unitFile(context, name);
  if (!existsSync(file)) return print(context, `not installed: there is no ${file}`);
  print(context, `installed: ${file}`);
  const systemctl = await requireSystemctl(context);
  for (const question of ["is-enabled", "is-active"]) {
    const { output } = await runQuietly(context, [systemctl, "--user", question, `${name}.service`]);
    print(context, `${question.slice(3)}: ${output}`);
  }
  await sayLingering(context);
}

/** systemctl, once the user's service manager has answered. Throws `unsupported` with what is missing. */
async function requireSystemctl(context: CliContext): Promise<string> {
  const systemctl = findProgram(context.env, "systemctl");
  if (systemctl === undefined) {
    throw new UserError("unsupported", "There is no systemctl on your PATH, so nothing was changed.", {
      next: "without systemd, let your own service manager start `jr daemon`, or use docker/ (docs/operations.md)",
    });
  }
  const { code, output } = await runQuietly(context, [systemctl, "--user", "show-environment"]);
  if (code === 0) return systemctl;
  throw new UserError("unsupported", `Your systemd user manager does not answer, so nothing was changed: ${output}`, {
    next: "log in as this user directly (su and sudo give no user manager), then try again",
  });
}

async function sayLingering(context: CliContext): Promise<void> {
  const { username } = userInfo();
  const loginctl = findProgram(context.env, "loginctl");
  if (loginctl === undefined) return;
  const { output } = await runQuietly(context, [loginctl, "show-user", username, "--property=Linger"]);
  if (output.includes("Linger=yes")) return;
  say(context, `So that it starts with the machine and outlives your logging out: loginctl enable-linger ${username}`);
}

function unitFile({ env }: CliContext, name: string): string {
  const folder = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config");
  return join(folder, "systemd", "user", `${name}.service`);
}
