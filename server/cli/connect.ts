import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Argument, Command } from "commander";
import { UserError } from "../errors.ts";
import { findProgram } from "../find-program.ts";
import type { Home } from "../home.ts";
import { personCommand, shellQuote } from "../person-command.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText } from "./show-list.ts";

type Host = "claude" | "gemini";

/** `jr connect HOST`: how a host agent is told of JobRunner. */
export function command(context: CliContext): Command {
  return new Command("connect")
    .description("show how to connect Claude Code, Gemini CLI or any other MCP client")
    .addArgument(new Argument("<host>", "the host").choices(["claude", "gemini", "json"]))
    .option("--run", "run the command instead of printing it")
    .action((host: Host | "json", { run }: { run?: boolean }) => connect(context, host, run ?? false));
}

async function connect(context: CliContext, host: Host | "json", run: boolean): Promise<void> {
  const { home } = context;
  if (!existsSync(home.launcher)) say(context, `${home.launcher} is written at the daemon's first start: jr start`);
  if (host === "json") {
    if (run)
      throw new UserError("invalid_argument", "There is no command to run: put the JSON into your client's file.");
    return print(context, jsonText({ mcpServers: { jobrunner: { command: home.launcher, args: ["mcp"] } } }));
  }
  if (!run) return print(context, connectCommand(home, host));
  const program = findProgram(context.env, host);
  if (program === undefined) {
    throw new UserError("unsupported", `There is no "${host}" on your PATH.`, { next: connectCommand(home, host) });
  }
  const words = [...beforeLauncher[host], home.launcher, "mcp"];
  say(context, `running: ${[host, ...words].map(shellQuote).join(" ")}`);
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"], env: context.env, signal: context.signal });
  child.stdout.pipe(context.stdout, { end: false });
  child.stderr.pipe(context.stderr, { end: false });
  const [code] = await once(child, "close");
  if (code !== 0)
    throw new UserError("unsupported", `${host} ended with exit code ${code}.`, { next: connectCommand(home, host) });
}

/** The line that a person pastes to connect a host. */
export function connectCommand(home: Home, host: Host): string {
  return [host, ...beforeLauncher[host], personCommand(home, "mcp")].join(" ");
}

const beforeLauncher: Readonly<Record<Host, readonly string[]>> = {
  // The dashes keep claude from reading what follows as its own options.
  claude: ["mcp", "add", "jobrunner", "--"],
  gemini: ["mcp", "add", "jobrunner"],
};
