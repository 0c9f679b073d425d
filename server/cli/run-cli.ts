import { Command, CommanderError } from "commander";
import { nearestWord } from "../nearest-word.ts";
import { version } from "../version.ts";
import type { CliContext } from "./context.ts";
import { reportError } from "./report-error.ts";
import { commands } from "./table.ts";

/** Runs one command and returns its exit code. Every error of every command ends here. */
export async function runCli(context: CliContext, args: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(context, args);
    await program.parseAsync(args.length === 0 ? ["--help"] : [...args], { from: "user" });
    // Sub-commands of others may have set their own, such as for a run that failed.
    return typeof process.exitCode === "number" ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    return reportError(context, error);
  }
}

/** The command that is called is loaded; of the others the help needs a line only. */
async function createProgram(context: CliContext, args: readonly string[]): Promise<Command> {
  const program = new Command("jr")
    .description("Recurring automations that an agent writes, you sign, and a daemon runs in a sandbox.")
    .version(version, "-V, --version")
    .showSuggestionAfterError(false)
    .helpCommand("help [command]", "show the help of a command");
  const called = args.find((arg) => !arg.startsWith("-") && arg !== "help");
  for (const { name, group, summary, load } of commands) {
    const command = name === called ? (await load()).command(context) : new Command(name).description(summary);
    program.addCommand(command.helpGroup(`${group}:`));
  }
  program.addCommand(
    new Command("mcp").description("the bridge that hosts start (stdio)").helpGroup("Hosts and settings:"),
  );
  quieten(program, context);
  program.on("command:*", ([word = ""]: string[]) => {
    const names = commands.map(({ name }) => name);
    const near = nearestWord(word, names);
    program.error(`error: there is no command "${word}".${near ? ` Did you mean "${near}"?` : ""}\nnext: jr help`);
  });
  return program;
}

/** Commander writes where the context says and throws instead of ending the process. */
function quieten(command: Command, context: CliContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
    getOutHasColors: () => context.colour,
  });
  for (const child of command.commands) quieten(child, context);
}
