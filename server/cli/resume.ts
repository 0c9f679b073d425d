import { Command } from "commander";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { openOwnKey, passphraseStdinHelp, requireYes } from "./passphrase.ts";
import { fetchMaterial, postDecisions, signChain } from "./sign-decision.ts";

type Options = { note?: string; yes?: boolean; passphraseStdin?: boolean };

/** `jr resume NAME`: lifts a pause with a signature. */
export function command(context: CliContext): Command {
  return new Command("resume")
    .description("let a paused job run again")
    .argument("<name>", "the job")
    .option("--note <text>", "kept with your signature")
    .option("--yes", "do not ask to confirm (the passphrase is always asked for)")
    .option("--passphrase-stdin", passphraseStdinHelp)
    .action((name: string, options: Options) => resume(context, name, options));
}

async function resume(context: CliContext, name: string, options: Options): Promise<void> {
  const client = await connectDaemon(context);
  const { pausedBy, active } = await fetchMaterial(client, name, undefined);
  if (pausedBy === null) return print(context, `${name} is not paused.`);
  const what = active === null ? "nothing of it is approved, so nothing runs yet" : `v${active.version} runs again`;
  await requireYes(context, `Resume ${name}, paused by ${pausedBy}? (${what})`, options);
  const key = await openOwnKey(context, options);
  const { head } = await fetchMaterial(client, name, undefined);
  await postDecisions(
    client,
    signChain(head, [{ key, draft: { kind: "job", name, decision: "resume", note: options.note ?? null } }]),
  );
  print(context, `Resumed: ${name}.`);
}
