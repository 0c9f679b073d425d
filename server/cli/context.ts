import type { Readable, Writable } from "node:stream";
import { type Home, homePaths } from "../home.ts";

/** What a command works with: no command touches `process` itself, so that tests can run it in theirs. */
export type CliContext = Readonly<{
  env: NodeJS.ProcessEnv;
  home: Home;
  stdin: Readable;
  /** The answer, and nothing else. */
  stdout: Writable;
  /** Everything that is not the answer: progress, hints, errors, prompts. */
  stderr: Writable;
  /** Standard output may be coloured. */
  colour: boolean;
  /** A person sits at a terminal, so that prompts make sense. */
  interactive: boolean;
  /** Aborted by Ctrl-C (or SIGTERM). */
  signal: AbortSignal;
}>;

/** The context of this process. */
export function createCliContext(signal: AbortSignal): CliContext {
  const { env, stdin, stdout, stderr } = process;
  return {
    env,
    home: homePaths(env),
    stdin,
    stdout,
    stderr,
    colour: (stdout.isTTY === true || Boolean(env.FORCE_COLOR)) && !env.NO_COLOR && env.TERM !== "dumb",
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    signal,
  };
}

/** Writes the answer and ends it with a newline. */
export function print(context: CliContext, text: string): void {
  context.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Writes something that is not the answer. */
export function say(context: CliContext, text: string): void {
  context.stderr.write(text.endsWith("\n") ? text : `${text}\n`);
}
