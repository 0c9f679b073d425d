import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { loadConfig } from "../config.ts";
import { UserError } from "../errors.ts";
import { requireJobName } from "../jobs/job-name.ts";
import { listTemplates, readTemplate } from "../jobs/templates.ts";
import { findFormConflict } from "../jobs/write-job-files.ts";
import { personCommand } from "../person-command.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText, tableText } from "./show-list.ts";

/** `jr template …`: jobs to begin from. Needs no daemon. */
export function command(context: CliContext): Command {
  const template = new Command("template").description("list the job templates, or begin a job from one");
  template
    .command("list", { isDefault: true })
    .description("show every template")
    .option("--json", "print JSON")
    .action(({ json }: { json?: boolean }) => list(context, json));
  template
    .command("use")
    .description("write a template into the jobs folder, under a name of your own")
    .argument("<name>", "the template")
    .argument("[as]", "the job's name; the template's where none is given")
    .action((name: string, as: string | undefined) => begin(context, name, as ?? name));
  return template;
}

function list(context: CliContext, json: boolean | undefined): void {
  if (json) {
    print(context, jsonText(listTemplates()));
    return;
  }
  const rows = listTemplates().map(({ name, description }) => [name, description]);
  print(context, tableText(context, ["TEMPLATE", "WHAT IT DOES"], rows));
  say(context, `to begin from one: ${personCommand(context.home, "template", "use", "NAME", "MY-JOB")}`);
}

async function begin(context: CliContext, name: string, as: string): Promise<void> {
  const { source, parameters } = await readTemplate(name);
  requireJobName(as);
  const { jobsFolder } = loadConfig(context.home, context.env);
  const target = join(jobsFolder, `${as}.ts`);
  const taken = new UserError(
    "invalid_argument",
    `There is a job "${as}" in ${jobsFolder} already; nothing was written.`,
    {
      next: personCommand(context.home, "template", "use", name, `my-${name}`),
    },
  );
  if ((await findFormConflict(jobsFolder, `${as}.ts`)) !== undefined) throw taken;
  await mkdir(jobsFolder, { recursive: true });
  try {
    // "wx" fails where anything has that name, a dangling link too.
    await writeFile(target, source, { flag: "wx" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") throw taken;
    throw error;
  }
  print(context, target);
  say(context, `Change in it: ${parameters.join("; ")}.`);
  say(context, `Each save is checked by a running daemon. Then: ${personCommand(context.home, "approve", as)}`);
}
