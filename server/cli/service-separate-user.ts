import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { findProgram } from "../find-program.ts";
import { shellQuote } from "../person-command.ts";
import { type CliContext, print, say } from "./context.ts";
import { requireYes } from "./passphrase.ts";
import { runLoudly } from "./run-command.ts";
import { type ServiceTarget, systemdUnit } from "./service-files.ts";

const user = "jobrunner";
const home = "/var/lib/jobrunner";
const unit = "/etc/systemd/system/jobrunner.service";
const shell = "/usr/sbin/nologin";

/**
 * A daemon of a user of its own, so that nothing that runs as the person can replace its program or its trusted keys. Prints what
 * root has to do, and does it where this is root.
 */
export async function installSeparateUser(
  context: CliContext,
  { role, node, program }: Pick<ServiceTarget, "role" | "node" | "program">,
  options: { yes?: boolean },
): Promise<void> {
  if (process.platform !== "linux") throw new UserError("unsupported", "--separate-user needs Linux with systemd.");
  const text = systemdUnit({ role, node, program, home, jobs: null }, user);
  const commands = separateUserCommands();
  const problem = findProgramProblem([node, program]);
  if (process.getuid?.() !== 0) {
    print(
      context,
      `As root, write ${unit}:\n\n${text}\nThen run:\n\n${commands.map((words) => words.map(shellQuote).join(" ")).join("\n")}`,
    );
    if (problem !== undefined) say(context, `First: ${problem}`);
    return say(context, `\n${afterwards[role]}`);
  }
  if (problem !== undefined) {
    throw new UserError("unsupported", `Nothing was changed: ${problem}`, {
      next: "npm install --global jobrunner-mcp, as root, then jr service install --separate-user",
    });
  }
  // As sd_booted(3) tells it; systemctl can be there without.
  if (!existsSync("/run/systemd/system")) {
    throw new UserError("unsupported", "This machine does not run systemd, so nothing was changed.", {
      next: "without systemd, let your own service manager start `jr daemon`, or use docker/ (docs/operations.md)",
    });
  }
  for (const name of ["systemctl", "useradd", "install"]) {
    if (findProgram(context.env, name) === undefined) {
      throw new UserError("unsupported", `There is no ${name} on root's PATH, so nothing was changed.`);
    }
  }
  await requireYes(context, `Make the user ${user}, ${home} and ${unit}, and start the ${role} as that user?`, options);
  const [makeUser, ...rest] = commands;
  if (makeUser !== undefined && !existsSync(home)) await requireDone(context, makeUser);
  writeFileSync(unit, text, { mode: 0o644 });
  print(context, `wrote: ${unit}`);
  for (const words of rest) await requireDone(context, words);
  say(context, afterwards[role]);
}

/** What root runs, in order; the unit is written after the first. */
export function separateUserCommands(): readonly (readonly string[])[] {
  return [
    ["useradd", "--system", "--user-group", "--home-dir", home, "--create-home", "--shell", shell, user],
    ["install", "-d", "-m", "0700", "-o", user, "-g", user, home],
    ["systemctl", "daemon-reload"],
    ["systemctl", "enable", "--now", "jobrunner.service"],
  ];
}

const afterwards = {
  daemon: [
    `You then sign as that user: sudo -u ${user} ${home}/bin/jr setup, and later sudo -u ${user} ${home}/bin/jr approve NAME.`,
    `Hosts connect over HTTP (docs/mcp.md), with the token that this prints: sudo cat ${home}/keys/mcp.token`,
  ].join("\n"),
  worker: [
    `It starts once ${home}/config.yaml names the database (store.url); until then it tries again every few seconds.`,
    `Let it trust your key: sudo -u ${user} ${home}/bin/jr setup --trust '<what jr keys export printed on your machine>'`,
  ].join("\n"),
} as const;

/**
 * Why those files cannot serve another user safely: somebody besides root can replace them, or that user cannot read them.
 * Undefined where all is well.
 */
export function findProgramProblem(files: readonly string[]): string | undefined {
  for (const file of files) {
    for (let path = file; ; path = dirname(path)) {
      const { uid, mode } = statSync(path);
      if (uid !== 0 || (mode & 0o022) !== 0)
        return `${path} can be changed by users other than root; install JobRunner and Node for the whole machine.`;
      if ((mode & 0o005) !== 0o005 && path !== file)
        return `${path} is closed to the user ${user}; install JobRunner and Node for the whole machine.`;
      if ((mode & 0o004) === 0)
        return `${path} is closed to the user ${user}; install JobRunner and Node for the whole machine.`;
      if (path === dirname(path)) break;
    }
  }
  return undefined;
}

async function requireDone(context: CliContext, words: readonly string[]): Promise<void> {
  const { code } = await runLoudly(context, words);
  if (code !== 0)
    throw new UserError("unsupported", `${words[0]} ended with exit code ${code}.`, {
      next: words.map(shellQuote).join(" "),
    });
}
