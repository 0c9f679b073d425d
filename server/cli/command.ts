import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { Command } from "commander";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { connectDaemon, problemSchema, toError } from "./client.ts";
import { type CliContext, say } from "./context.ts";
import { printDefinitions } from "./definition-answer.ts";

const line = z.union([
  z.strictObject({ stdout: z.string() }),
  z.strictObject({ stderr: z.string() }),
  z.strictObject({
    end: z.object({ code: z.int().nullable(), timedOut: z.boolean(), truncated: z.boolean() }),
  }),
  z.strictObject({ error: problemSchema }),
]);

/** `jr command …`: programs that roles and plans may run by name. */
export function command(context: CliContext): Command {
  const commands = new Command("command").description("list the commands that agents and plans may run, and run one");
  commands
    .command("list", { isDefault: true })
    .description("every command of commands.yaml, and whether it is signed")
    .option("--json", "print JSON")
    .action(async (options: { json?: boolean }) => {
      const none = `No commands: write them into ${context.home.commands}, as name: { description, program, args }.`;
      await printDefinitions(context, await connectDaemon(context), "command", { ...options, none });
    });
  commands
    .command("run")
    .description("run a signed command as an agent would; its exit code becomes that of jr")
    .argument("<name>", "the command")
    .argument("[args...]", "its arguments, after --")
    .option("--cwd <folder>", "where a command starts that names no folder; this one where none is given")
    .action((name: string, args: string[], { cwd }: { cwd?: string }) => run(context, name, args, resolve(cwd ?? ".")));
  return commands;
}

async function run(context: CliContext, name: string, args: readonly string[], cwd: string): Promise<void> {
  const client = await connectDaemon(context);
  const { body } = await client.stream(`/api/definitions/command/${encodeURIComponent(name)}/run`, { args, cwd });
  for await (const text of createInterface({ input: Readable.from(body) })) {
    const said = line.parse(JSON.parse(text));
    if ("stdout" in said) context.stdout.write(said.stdout);
    else if ("stderr" in said) context.stderr.write(said.stderr);
    else if ("error" in said) throw toError(said.error, context.home);
    else {
      const { code, timedOut, truncated } = said.end;
      if (truncated) say(context, "It put out more than it may; the rest was dropped.");
      if (timedOut) throw new UserError("limit_exceeded", `The command "${name}" took too long and was ended.`);
      process.exitCode = code ?? 1;
      return;
    }
  }
  throw new UserError("daemon_down", "The daemon ended before the command did.", { next: "jr status" });
}
