import { existsSync, renameSync, rmSync } from "node:fs";
import { UserError } from "../errors.ts";
import { publicKeyOf, readKeyFile, writeKeyFile } from "../review/key-file.ts";
import { trustSubject } from "../review/public-key.ts";
import { subjectWord } from "../review/subject.ts";
import { addTrustedKey } from "../review/trusted-keys.ts";
import { connectDaemon, type DaemonClient } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { makeKey, openOwnKey, requireYes, stdinLines } from "./passphrase.ts";
import { fetchApprovals, postDecisions, signChain } from "./sign-decision.ts";

type Options = { yes?: boolean; passphraseStdin?: boolean; passphrase: boolean };

/**
 * A new key, vouched for by the old one, signs every live approval of the old one again and then revokes it: all in one go.
 * The new key waits in a file of its own until the daemon has it all, so that a cut-off rotation is finished or undone by the next.
 */
export async function rotateKey(context: CliContext, options: Options): Promise<void> {
  const { home } = context;
  const waiting = `${home.approverKey}.next`;
  const client = await connectDaemon(context);
  if (existsSync(waiting) && (await finishRotation(context, client, waiting))) return;
  const { live } = await fetchApprovals(client);
  const old = publicKeyOf(readKeyFile(home.approverKey));
  const mine = live.filter(({ keyId }) => keyId === old.id);
  print(
    context,
    `Signed again by the new key: ${mine.map(({ decision }) => `${subjectWord(decision)} v${decision.version}`).join(", ") || "nothing"}`,
  );
  await requireYes(context, `Replace key ${old.id}?`, options);
  const count = Number(old.protected) + Number(options.passphrase);
  const lines = options.passphraseStdin ? await stdinLines(context, count) : [];
  const { passphraseStdin } = options;
  const oldKey = await openOwnKey(context, { passphraseStdin, given: old.protected ? lines.at(0) : undefined });
  const { file, key } = await makeKey(context, {
    passphraseStdin,
    given: options.passphrase ? lines.at(-1) : undefined,
    protect: options.passphrase,
    label: old.label,
  });
  writeKeyFile(waiting, file);
  const { head } = await fetchApprovals(client);
  const vouch = {
    kind: "key",
    name: key.publicKey.id,
    decision: "trust",
    subject: trustSubject(key.publicKey),
    note: old.label,
  } as const;
  const again = mine.map(({ decision }) => ({
    key,
    draft: { ...decision, decision: "activate" as const, note: `signed again for key ${old.id}` },
  }));
  const end = { kind: "key", name: old.id, decision: "revoke_key", note: "replaced" } as const;
  try {
    await postDecisions(client, signChain(head.hash, [{ key: oldKey, draft: vouch }, ...again, { key, draft: end }]));
  } catch (error) {
    // A refusal undoes it. Where no answer came the daemon may have recorded all of it: the next rotation finds out.
    if (error instanceof UserError && error.code !== "daemon_down" && error.code !== "aborted")
      rmSync(waiting, { force: true });
    throw error;
  }
  putInPlace(context, waiting);
  print(context, `Key ${old.id} is replaced by ${key.publicKey.id}.`);
}

/** Whether a rotation that was cut off had reached the daemon; then its key is put in its place, else it is removed. */
async function finishRotation(context: CliContext, client: DaemonClient, waiting: string): Promise<boolean> {
  const { id } = publicKeyOf(readKeyFile(waiting));
  const { keyList } = await fetchApprovals(client);
  if (!keyList.some((key) => key.id === id && !key.revoked)) {
    rmSync(waiting);
    return false;
  }
  putInPlace(context, waiting);
  print(context, `An earlier rotation was cut off after the daemon had it; it is finished: your key is ${id}.`);
  return true;
}

function putInPlace({ home }: CliContext, waiting: string): void {
  // Root as well, so that it can accept a chain that lost the decision that vouched for it.
  addTrustedKey(home, publicKeyOf(readKeyFile(waiting)), new Date());
  renameSync(waiting, home.approverKey);
}
