import { Command } from "commander";
import { approve } from "./approve.ts";
import type { CliContext } from "./context.ts";
import { passphraseStdinHelp } from "./passphrase.ts";
import { parseVersion, subjectHelp } from "./sign-decision.ts";

/** `jr activate NAME vN`: back (or forth) to a version that was approved before. */
export function command(context: CliContext): Command {
  return new Command("activate")
    .description("make an approved version the one that runs, such as an earlier one")
    .argument("<name>", subjectHelp)
    .argument("<version>", "such as v2")
    .option("--note <text>", "kept with your signature")
    .option("--yes", "do not ask to confirm (the passphrase is always asked for)")
    .option("--passphrase-stdin", passphraseStdinHelp)
    .action((name: string, version: string, options: { note?: string; yes?: boolean; passphraseStdin?: boolean }) =>
      approve(context, [{ word: name, number: parseVersion(version) }], "activate", options),
    );
}
