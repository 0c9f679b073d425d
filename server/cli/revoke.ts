import { Command } from "commander";
import { parseSubject, type Subject } from "../review/subject.ts";
import { connectDaemon, type DaemonClient } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { openOwnKey, passphraseStdinHelp, requireYes } from "./passphrase.ts";
import {
  fetchApprovals,
  fetchDefinition,
  fetchMaterial,
  parseVersion,
  postDecisions,
  signChain,
  subjectHelp,
  wholeVersion,
} from "./sign-decision.ts";

type Options = { note?: string; yes?: boolean; passphraseStdin?: boolean };

/** `jr revoke NAME [vN]`: takes an approval back, or all of a job's; what runs by it is stopped. */
export function command(context: CliContext): Command {
  return new Command("revoke")
    .description("take back your approval; what runs, waits or sleeps by it is stopped")
    .argument("<name>", subjectHelp)
    .argument("[version]", "such as v3; every version where none is given")
    .option("--note <text>", "kept with your signature")
    .option("--yes", "do not ask to confirm (the passphrase is always asked for)")
    .option("--passphrase-stdin", passphraseStdinHelp)
    .action((name: string, version: string | undefined, options: Options) =>
      revoke(context, name, parseVersion(version), options),
    );
}

async function revoke(context: CliContext, word: string, number: number | undefined, options: Options): Promise<void> {
  const subject = parseSubject(word);
  const client = await connectDaemon(context);
  // Without a version nothing is read of what is stored, so that a job whose store was tampered with can be revoked too.
  const content = number === undefined ? {} : wholeVersion(await versionOf(client, subject, number));
  const what = number === undefined ? `every approval of ${word}` : `the approval of ${word} v${number}`;
  await requireYes(context, `Revoke ${what}? No earlier version takes over by itself.`, options);
  const key = await openOwnKey(context, options);
  const { head } = await fetchApprovals(client);
  const draft = { ...subject, decision: "revoke", note: options.note ?? null, ...content } as const;
  await postDecisions(client, signChain(head.hash, [{ key, draft }]));
  print(context, `Revoked: ${what}.`);
}

async function versionOf(client: DaemonClient, { kind, name }: Subject, number: number) {
  const material =
    kind === "job" ? await fetchMaterial(client, name, number) : await fetchDefinition(client, { kind, name }, number);
  return material.version;
}
