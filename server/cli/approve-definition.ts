import { type DefinitionVersionMaterial, findFalseDefinition } from "../definitions/definition-material.ts";
import { composeDefinitionReview } from "../definitions/definition-review.ts";
import { UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { readKeyFile } from "../review/key-file.ts";
import { subjectWord } from "../review/subject.ts";
import type { DefinitionKind } from "../store/tables.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { openOwnKey, requireTerminal, requireYes } from "./passphrase.ts";
import { showDefinition } from "./show-definition.ts";
import { fetchDefinition, postDecisions, signChain, wholeVersion } from "./sign-decision.ts";

type Options = { yes?: boolean; passphraseStdin?: boolean; note?: string };

/** Shows a role, skill, MCP server or command, checks every hash in this process, asks and signs. */
export async function approveDefinition(
  context: CliContext,
  subject: { kind: DefinitionKind; name: string },
  number: number | undefined,
  decision: "approve" | "activate",
  options: Options,
): Promise<void> {
  // Asked first, so that nobody reads a whole review only to learn that they cannot sign.
  const { protected: isProtected } = readKeyFile(context.home.approverKey);
  if (isProtected && !options.passphraseStdin)
    requireTerminal(context, "The passphrase of your signing key is asked for");
  const word = subjectWord(subject);
  const client = await connectDaemon(context);
  const material = await fetchDefinition(client, subject, number);
  const { version } = material;
  if (material.active?.version === version.number)
    return print(context, `${word} v${version.number} is approved and in use already.`);
  requireTrueDefinition(version, subject);
  await showDefinition(context, composeDefinitionReview(material), { paged: !options.yes });
  await requireYes(context, `Have you read it, and may ${word} v${version.number} be used?`, options);
  const key = await openOwnKey(context, options);
  const now = await fetchDefinition(client, subject, version.number);
  const same = JSON.stringify(wholeVersion(version)) === JSON.stringify(wholeVersion(now.version));
  if (!same || material.newest !== now.newest || material.active?.version !== now.active?.version) {
    throw new UserError("stale_review", `${word} changed while you were reading. Nothing was signed.`, {
      next: personCommand(context.home, "approve", word),
    });
  }
  const draft = { ...subject, decision, note: options.note ?? null, ...wholeVersion(version) };
  await postDecisions(client, signChain(now.head, [{ key, draft }]));
  print(
    context,
    `${decision === "approve" ? "Approved" : "Activated"}: ${word} v${version.number} is used from now on.`,
  );
}

/** What the daemon sent must be what was asked for and what its hashes say, and what is used of it must come of those files. */
export function requireTrueDefinition(
  version: DefinitionVersionMaterial,
  subject: { kind: DefinitionKind; name: string },
): void {
  const differing =
    version.kind === subject.kind && version.name === subject.name ? findFalseDefinition(version) : "its name";
  if (differing === undefined) return;
  throw new UserError(
    "approval_invalid",
    `Not signed: ${differing} of ${subjectWord(subject)} v${version.number} is not what its hash says. Somebody changed the store.`,
    { next: "save its file again" },
  );
}
