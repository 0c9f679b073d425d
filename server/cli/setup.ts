import { existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { isLocked } from "../daemon/lock.ts";
import { UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { publicKeyOf, readKeyFile, type SigningKey, writeKeyFile } from "../review/key-file.ts";
import { parsePublicKeyLine, publicKeyLine } from "../review/public-key.ts";
import { addTrustedKey } from "../review/trusted-keys.ts";
import { signShipped } from "./approve-shipped.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { makeKey, passphraseStdinHelp, requireTerminal, requireYes } from "./passphrase.ts";
import { isReady, startDetached } from "./start.ts";
import { until } from "./wait.ts";

type Options = {
  passphrase: boolean;
  shipped: boolean;
  passphraseStdin?: boolean;
  label?: string;
  trust?: string;
  yes?: boolean;
};

/** `jr setup`: makes this person's signing key, or makes this machine trust somebody's. */
export function command(context: CliContext): Command {
  return new Command("setup")
    .description("make your signing key, without which nothing runs, and sign the roles and skills that come along")
    .option("--no-passphrase", "leave the key unprotected: any program of yours could sign")
    .option("--passphrase-stdin", passphraseStdinHelp)
    .option("--label <text>", "a name for the key, shown in lists")
    .option(
      "--trust <key-or-file>",
      "make no key; trust this public key on this machine (for machines that only run jobs)",
    )
    .option("--no-shipped", "do not sign the roles and skills that come with JobRunner")
    .option("--yes", "do not ask to confirm")
    .action((options: Options) =>
      options.trust === undefined ? setUp(context, options) : trustRoot(context, options.trust, options),
    );
}

async function setUp(context: CliContext, options: Options): Promise<void> {
  const { home } = context;
  if (existsSync(home.approverKey)) {
    const key = publicKeyOf(readKeyFile(home.approverKey));
    // Set-up that was cut off between its two files is finished here.
    addTrustedKey(home, key, new Date());
    throw new UserError(
      "key_exists",
      `There is a signing key already: ${key.id}${key.protected ? "" : " (unprotected)"}.`,
      {
        next: `what waits to be signed: ${personCommand(home, "status")}; to replace the key: ${personCommand(home, "keys", "rotate")}`,
      },
    );
  }
  if (!options.passphraseStdin) requireTerminal(context, "A signing key is set up");
  if (!options.passphrase)
    say(context, "Without a passphrase every program that runs as you can approve jobs in your name.");
  if (!options.passphrase) await requireYes(context, "Make an unprotected key?", options);
  const { file, key } = await makeKey(context, {
    ...options,
    protect: options.passphrase,
    label: parseLabel(options.label),
  });
  writeKeyFile(home.approverKey, file);
  addTrustedKey(home, key.publicKey, new Date());
  const { id, protected: isProtected } = key.publicKey;
  print(context, `Signing key ${id} made${isProtected ? "" : ", UNPROTECTED"}: ${home.approverKey}`);
  print(
    context,
    isProtected ? "Keep the passphrase: nobody can recover it." : "Give it a passphrase later with jr keys rotate.",
  );
  if (options.shipped) await signWhatComesAlong(context, options, key);
}

/** Roles and skills that come with the program, with the key that is open already. The key is made, whatever comes of this. */
async function signWhatComesAlong(context: CliContext, options: Options, key: SigningKey): Promise<void> {
  const { home } = context;
  const later = personCommand(home, "approve", "--shipped");
  try {
    if (!isLocked(home) && context.interactive) await startDetached(context);
    // One that was started a moment ago opens its store yet.
    if (isLocked(home)) await until(() => isReady(context), { everyMs: 100, withinMs: 30_000, signal: context.signal });
    // What was asked for the key is an answer to this, too, where nobody sits at a terminal.
    const yes = options.yes || !context.interactive;
    await signShipped(context, await connectDaemon(context), { yes }, async () => key);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.code !== "daemon_down" && error.code !== "aborted") say(context, `Not signed: ${error.message}`);
    say(context, `Roles and skills that come with JobRunner are used once you have signed them: ${later}`);
  }
}

async function trustRoot(context: CliContext, given: string, options: Options): Promise<void> {
  const key = parsePublicKeyLine(existsSync(given) ? readFileSync(given, "utf8") : given);
  requireTerminal(context, "Trust is given");
  await requireYes(context, `Run on this machine whatever key ${key.id} (${publicKeyLine(key)}) signs?`, options);
  addTrustedKey(context.home, key, new Date());
  print(context, `This machine trusts ${key.id}.`);
}

/** A label that fits the line of an exported key. */
export function parseLabel(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (/^[\x21-\x7e][\x20-\x7e]{0,78}[\x21-\x7e]$/.test(text)) return text;
  throw new UserError("invalid_argument", "A label has 2 to 80 plain ASCII characters.");
}
