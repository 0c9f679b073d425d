import { createInterface } from "node:readline";
import { confirm, isCancel, password } from "@clack/prompts";
import { UserError } from "../errors.ts";
import { createKeyFile, type KeyFile, openKey, readKeyFile, type SigningKey } from "../review/key-file.ts";
import { type CliContext, say } from "./context.ts";

/** Where passphrases come from: a hidden prompt, or the lines of standard input for scripts of the person. */
export type PassphraseOptions = Readonly<{
  passphraseStdin?: boolean | undefined;
  /** Read from standard input already. */
  given?: string | undefined;
}>;

const tries = 3;
const shortest = 8;

/** What commands that sign share in their help. */
export const passphraseStdinHelp = "read the passphrase from standard input (for your own scripts)";

/** Opens this machine's key in this process. Throws `key_missing`, `wrong_passphrase`, `no_terminal`, `aborted`. */
export async function openOwnKey(context: CliContext, options: PassphraseOptions): Promise<SigningKey> {
  const file = readKeyFile(context.home.approverKey);
  if (!file.protected) {
    say(context, "Your signing key is unprotected: no passphrase guards it.");
    return openKey(file, "");
  }
  if (options.passphraseStdin) return openKey(file, options.given ?? (await firstLine(context)));
  requireTerminal(context, "The passphrase of your signing key is asked for");
  return openWithTries(context, file);
}

/** Makes a key, asking for its passphrase twice. Throws `no_terminal`, `aborted`, `invalid_argument`. */
export async function makeKey(
  context: CliContext,
  options: PassphraseOptions & { protect: boolean; label: string | null },
): Promise<{ file: KeyFile; key: SigningKey }> {
  const passphrase = options.protect ? await newPassphrase(context, options) : null;
  const file = createKeyFile({ passphrase, label: options.label, now: new Date() });
  return { file, key: openKey(file, passphrase ?? "") };
}

/** Stops where nobody can answer. */
export function requireTerminal(context: CliContext, why: string): void {
  if (context.interactive) return;
  throw new UserError("no_terminal", `${why} at a terminal, and this is none. Agents and pipes cannot do this.`, {
    next: "run the same command yourself in a terminal window",
  });
}

/** A yes-or-no question; no and Ctrl-C both throw `aborted`, with nothing changed. */
export async function requireYes(
  context: CliContext,
  message: string,
  options: { yes?: boolean | undefined },
): Promise<void> {
  if (options.yes) return;
  requireTerminal(context, "You are asked to confirm");
  const { stdin: input, stderr: output, signal } = context;
  const answer = await confirm({ message, initialValue: false, input, output, signal });
  if (isCancel(answer) || !answer) throw stopped();
}

async function openWithTries(context: CliContext, file: KeyFile): Promise<SigningKey> {
  for (let attempt = 1; ; attempt++) {
    try {
      return openKey(file, await hidden(context, "Passphrase of your signing key"));
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "wrong_passphrase" || attempt === tries) throw error;
      say(
        context,
        `That passphrase does not open the key (${tries - attempt} more ${tries - attempt === 1 ? "try" : "tries"}).`,
      );
    }
  }
}

async function newPassphrase(context: CliContext, options: PassphraseOptions): Promise<string> {
  if (options.passphraseStdin) return requireLong(options.given ?? (await firstLine(context)));
  requireTerminal(context, "A passphrase is asked for");
  for (;;) {
    const first = await hidden(context, `New passphrase (at least ${shortest} characters)`, (text) =>
      text.length < shortest ? `At least ${shortest} characters` : undefined,
    );
    if (first === (await hidden(context, "The same passphrase again"))) return first;
    say(context, "The two differ; once more.");
  }
}

async function hidden(
  context: CliContext,
  message: string,
  validate?: (text: string) => string | undefined,
): Promise<string> {
  const { stdin: input, stderr: output, signal } = context;
  const check = validate === undefined ? {} : { validate: (text: string | undefined) => validate(text ?? "") };
  const answer = await password({ message, input, output, signal, ...check });
  if (isCancel(answer)) throw stopped();
  return answer ?? "";
}

/** The first lines of standard input. Throws `wrong_passphrase` where there are fewer. */
export async function stdinLines(context: CliContext, count: number): Promise<string[]> {
  const input = createInterface({ input: context.stdin, signal: context.signal });
  const lines: string[] = [];
  try {
    for await (const line of input) if (lines.push(line) === count) break;
  } finally {
    input.close();
  }
  if (lines.length === count) return lines;
  throw new UserError("wrong_passphrase", "Standard input holds too few lines.", {
    next:
      count === 1 ? "give the passphrase as the first line" : "give the old passphrase and the new one, a line each",
  });
}

async function firstLine(context: CliContext): Promise<string> {
  const [line = ""] = await stdinLines(context, 1);
  return line;
}

function requireLong(passphrase: string): string {
  if (passphrase.length >= shortest) return passphrase;
  throw new UserError("invalid_argument", `A passphrase has at least ${shortest} characters.`);
}

function stopped(): UserError {
  return new UserError("aborted", "Stopped; nothing was changed.");
}
