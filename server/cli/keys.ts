import { existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { UserError } from "../errors.ts";
import { publicKeyOf, readKeyFile } from "../review/key-file.ts";
import { parsePublicKeyLine, publicKeyLine, trustSubject } from "../review/public-key.ts";
import { subjectWord } from "../review/subject.ts";
import { visibleLine } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { openOwnKey, passphraseStdinHelp, requireYes } from "./passphrase.ts";
import { rotateKey } from "./rotate-key.ts";
import { type ApprovalsAnswer, fetchApprovals, postDecisions, signChain } from "./sign-decision.ts";

type Options = { yes?: boolean; passphraseStdin?: boolean };

/** `jr keys …`: whose signatures count. */
export function command(context: CliContext): Command {
  const keys = new Command("keys").description("list, add, revoke and replace the keys whose signatures count");
  const signing = (name: string, description: string) =>
    keys
      .command(name)
      .description(description)
      .option("--yes", "do not ask to confirm (the passphrase is always asked for)")
      .option("--passphrase-stdin", passphraseStdinHelp);
  keys
    .command("list", { isDefault: true })
    .description("show every key and what is wrong")
    .action(() => list(context));
  keys
    .command("export")
    .description("print your public key, to be added elsewhere")
    .action(() => print(context, publicKeyLine(publicKeyOf(readKeyFile(context.home.approverKey)))));
  signing("add", "trust another person's or machine's public key, with your signature")
    .argument("<key-or-file>", "what jr keys export printed there, or a file with it")
    .action((given: string, options: Options) => add(context, given, options));
  signing("revoke", "end a key; everything that it signed stops counting")
    .argument("<id>", "the key's id, or its first digits")
    .action((id: string, options: Options) => revoke(context, id, options));
  signing("rotate", "replace your key by a new one that signs every live approval again")
    .option("--no-passphrase", "leave the new key unprotected")
    .action((options: Options & { passphrase: boolean }) => rotateKey(context, options));
  signing("accept-chain", "accept that decisions were lost, after the database was restored or moved").action(
    (options: Options) => acceptChain(context, options),
  );
  return keys;
}

async function list(context: CliContext): Promise<void> {
  const { keyList, problem, refused, head } = await fetchApprovals(await connectDaemon(context));
  const own = existsSync(context.home.approverKey) ? publicKeyOf(readKeyFile(context.home.approverKey)).id : undefined;
  if (keyList.length === 0) print(context, "No key is trusted yet: jr setup");
  for (const key of keyList) {
    const marks = [
      key.revoked ? "revoked" : "trusted",
      key.protected ? "protected" : "UNPROTECTED",
      key.trustedBy === null ? "root of this machine" : `added by ${key.trustedBy}`,
      ...(key.id === own ? ["yours"] : []),
    ];
    print(context, `${key.id}  ${marks.join(", ")}${key.label === null ? "" : `  "${visibleLine(key.label)}"`}`);
  }
  print(context, `chain: ${head.seq === 0 ? "no decision yet" : `ends at decision ${head.seq}`}`);
  if (problem !== null) print(context, `PROBLEM: ${problem}`);
  for (const { seq, decision, name, reason } of refused)
    print(context, `refused: decision ${seq} (${visibleLine(`${decision} ${name}`)}): ${reason}`);
}

async function add(context: CliContext, given: string, options: Options): Promise<void> {
  const added = parsePublicKeyLine(existsSync(given) ? readFileSync(given, "utf8") : given);
  const client = await connectDaemon(context);
  const marks = added.protected ? "" : ", UNPROTECTED";
  await requireYes(context, `Trust key ${added.id}${marks} to approve as you do?`, options);
  const key = await openOwnKey(context, options);
  const { head } = await fetchApprovals(client);
  const draft = {
    kind: "key",
    name: added.id,
    decision: "trust",
    subject: trustSubject(added),
    note: added.label,
  } as const;
  await postDecisions(client, signChain(head.hash, [{ key, draft }]));
  print(context, `Trusted: ${added.id}.`);
}

async function revoke(context: CliContext, prefix: string, options: Options): Promise<void> {
  const client = await connectDaemon(context);
  const answer = await fetchApprovals(client);
  const found = requireKey(answer, prefix);
  const others = answer.keyList.filter(({ id, revoked }) => !revoked && id !== found.id);
  const stops = answer.live
    .filter(({ keyId }) => keyId === found.id)
    .map(({ decision }) => `${subjectWord(decision)} v${decision.version}`);
  print(context, `Key ${found.id} signed: ${stops.length === 0 ? "no live approval" : stops.join(", ")}.`);
  if (others.length === 0)
    print(context, "It is the last key: nothing can be approved after this, here, until another is set up.");
  await requireYes(context, `Revoke key ${found.id}? What it signed stops, and so do keys that it added.`, options);
  const key = await openOwnKey(context, options);
  const { head } = await fetchApprovals(client);
  const draft = { kind: "key", name: found.id, decision: "revoke_key" } as const;
  await postDecisions(client, signChain(head.hash, [{ key, draft }]));
  print(context, `Revoked: ${found.id}.`);
}

async function acceptChain(context: CliContext, options: Options): Promise<void> {
  const client = await connectDaemon(context);
  const before = await fetchApprovals(client);
  const { lostHead } = before;
  if (lostHead === null) return print(context, "Nothing is lost: the chain of decisions is whole.");
  print(context, `This machine has seen decision ${lostHead.seq}; the store's valid chain ends at ${before.head.seq}.`);
  print(context, "Whatever was decided after that, revocations too, is lost. What would run again:");
  for (const { decision, keyId } of before.live)
    print(context, `  ${subjectWord(decision)} v${decision.version}, signed by ${keyId}`);
  if (before.live.length === 0) print(context, "  nothing");
  await requireYes(context, "Accept the chain as it is now?", options);
  const key = await openOwnKey(context, options);
  const subject = `${lostHead.seq} ${lostHead.hash}`;
  const draft = { kind: "chain", name: "decisions", decision: "accept_chain", subject } as const;
  await postDecisions(client, signChain(before.head.hash, [{ key, draft }]));
  print(context, "Accepted. Jobs run again.");
}

function requireKey({ keyList }: ApprovalsAnswer, prefix: string): ApprovalsAnswer["keyList"][number] {
  const found = keyList.filter(({ id }) => id.startsWith(prefix));
  const [only] = found;
  if (prefix.length >= 4 && found.length === 1 && only !== undefined) return only;
  const what =
    found.length > 1 && prefix.length >= 4 ? `Several keys begin with "${prefix}".` : `No key has the id "${prefix}".`;
  throw new UserError("invalid_argument", what, { next: "jr keys list" });
}
