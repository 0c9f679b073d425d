import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { textsOf } from "../definitions/definition-material.ts";
import { findNameProblem } from "../definitions/definition-name.ts";
import { UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { fetchOne, printDefinitions } from "./definition-answer.ts";
import { requireYes } from "./passphrase.ts";
import { showUsed } from "./show-used.ts";
import { fetchDefinition } from "./sign-decision.ts";

type Options = { json?: boolean };

/** `jr role …`: who agents can be. */
export function command(context: CliContext): Command {
  const role = new Command("role").description("list, show, change and reset the roles of agents");
  role
    .command("list", { isDefault: true })
    .description("every role, and whether it is signed")
    .option("--json", "print JSON")
    .action(async (options: Options) => {
      const none = `No roles: put a Markdown file into ${context.home.roles}.`;
      await printDefinitions(context, await connectDaemon(context), "role", { ...options, none });
    });
  role
    .command("show")
    .description("what a role may do, and its instructions")
    .argument("<name>", "the role")
    .option("--json", "print JSON")
    .action((name: string, options: Options) => showUsed(context, "role", name, options));
  role
    .command("edit")
    .description("change a role, or begin a new one, in $VISUAL or $EDITOR; it counts once you have signed it")
    .argument("<name>", "the role")
    .action((name: string) => edit(context, name));
  role
    .command("reset")
    .description("remove your own file of a role, so that the one that comes with JobRunner counts again")
    .argument("<name>", "the role")
    .option("--yes", "do not ask to confirm")
    .action((name: string, options: { yes?: boolean }) => reset(context, name, options));
  return role;
}

const newRole = `---
description: Says in one line what it is for
tools: [file_read, answer]
permissions:
  files: { read: [.] }
limits: { turns: 20, timeout: 10m }
---
What it does, step by step, in few words.
`;

async function edit(context: CliContext, name: string): Promise<void> {
  const wrong = findNameProblem("role", name);
  if (wrong !== undefined)
    throw new UserError("invalid_name", `${wrong}.`, { next: 'use a name such as "translator"' });
  const { home } = context;
  const file = join(home.roles, `${name}.md`);
  if (!existsSync(file)) {
    mkdirSync(home.roles, { recursive: true, mode: 0o700 });
    writeFileSync(file, await textOf(context, name), { flag: "wx" });
  }
  const editor = context.env.VISUAL || context.env.EDITOR;
  if (!context.interactive || !editor) {
    print(context, file);
    say(context, `Change that file; then sign it: ${personCommand(home, "approve", `role:${name}`)}`);
    return;
  }
  await openEditor(editor, file);
  say(context, `To sign it: ${personCommand(home, "approve", `role:${name}`)}`);
}

/** What there is of the role, or the beginning of a new one. */
async function textOf(context: CliContext, name: string): Promise<string> {
  const client = await connectDaemon(context);
  try {
    const { active, newest } = await fetchOne(client, "role", name);
    const { version } = await fetchDefinition(client, { kind: "role", name }, active ?? newest.version);
    return [...textsOf(version).values()][0] ?? newRole;
  } catch (error) {
    if (error instanceof UserError && error.code === "definition_not_found") return newRole;
    throw error;
  }
}

function openEditor(editor: string, file: string): Promise<void> {
  // As git does it: an editor is often given with options, such as "code --wait".
  const [program = "", ...words] = editor.split(/\s+/);
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words, file], { stdio: "inherit" });
    child.once("error", (cause) =>
      reject(
        new UserError("exec_failed", `The editor ${program} could not be started.`, { next: "set EDITOR", cause }),
      ),
    );
    child.once("exit", () => resolve());
  });
}

async function reset(context: CliContext, name: string, options: { yes?: boolean }): Promise<void> {
  const file = join(context.home.roles, `${name}.md`);
  if (findNameProblem("role", name) !== undefined || !existsSync(file))
    throw new UserError("file_not_found", `You have no file of your own for the role "${name.slice(0, 80)}".`, {
      next: personCommand(context.home, "role", "list"),
    });
  await requireYes(context, `Remove ${file}?`, options);
  rmSync(file);
  print(context, `Removed: ${file}.`);
}
