import { Command } from "commander";
import { connectDaemon } from "./client.ts";
import type { CliContext } from "./context.ts";
import { printDefinitions } from "./definition-answer.ts";
import { showUsed } from "./show-used.ts";

type Options = { json?: boolean };

/** `jr skill …`: texts that agents read when they need them. */
export function command(context: CliContext): Command {
  const skill = new Command("skill").description("list and show the skills of agents");
  skill
    .command("list", { isDefault: true })
    .description("every skill, and whether it is signed")
    .option("--json", "print JSON")
    .action(async (options: Options) => {
      const none = `No skills: put a folder with a SKILL.md into ${context.home.skills}.`;
      await printDefinitions(context, await connectDaemon(context), "skill", { ...options, none });
    });
  skill
    .command("show")
    .description("the texts of a skill")
    .argument("<name>", "the skill")
    .option("--json", "print JSON")
    .action((name: string, options: Options) => showUsed(context, "skill", name, options));
  return skill;
}
