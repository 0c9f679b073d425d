import { execFile } from "node:child_process";
import { shellQuote } from "../person-command.ts";
import { type CliContext, say } from "./context.ts";

export type CommandResult = Readonly<{ code: number; output: string }>;

const longestMs = 60_000;

/** Runs a program to its end; its words are not seen by any shell. Exit code 127 where it could not start. */
export function runQuietly(
  { env, signal }: CliContext,
  [program = "", ...words]: readonly string[],
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(program, words, { env, signal, timeout: longestMs }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim();
      if (error === null) return resolve({ code: 0, output });
      resolve({ code: typeof error.code === "number" ? error.code : 127, output: output || error.message });
    });
  });
}

/** As `runQuietly`, and says what it runs and what came of it. */
export async function runLoudly(context: CliContext, words: readonly string[]): Promise<CommandResult> {
  say(context, `ran: ${words.map(shellQuote).join(" ")}`);
  const result = await runQuietly(context, words);
  if (result.output !== "") say(context, result.output.replace(/^/gm, "  "));
  return result;
}
