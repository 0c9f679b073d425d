import { type DefinitionVersionMaterial, findFalseDefinition } from "../definitions/definition-material.ts";
import { composeDefinitionReview } from "../definitions/definition-review.ts";
import { UserError } from "../errors.ts";
import { subjectWord } from "../review/subject.ts";
import type { DefinitionKind } from "../store/tables.ts";
import type { DaemonClient } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { requireYes } from "./passphrase.ts";
import { showDefinition } from "./show-definition.ts";
import { fetchDefinition, type Reviewed, requireUnchanged, wholeVersion } from "./sign-decision.ts";

/** Shows a role, skill, MCP server or command, checks every hash in this process and asks; null where nothing is left to sign. */
export async function reviewDefinition(
  context: CliContext,
  client: DaemonClient,
  subject: { kind: DefinitionKind; name: string },
  number: number | undefined,
  options: { yes?: boolean },
): Promise<Reviewed | null> {
  const material = await fetchDefinition(client, subject, number);
  const { version } = material;
  const word = `${subjectWord(subject)} v${version.number}`;
  if (material.active?.version === version.number) {
    print(context, `${word} is approved and in use already.`);
    return null;
  }
  requireTrueDefinition(version, subject);
  await showDefinition(context, composeDefinitionReview(material), { paged: !options.yes });
  await requireYes(context, `Have you read it, and may ${word} be used?`, options);
  return {
    version: { ...subject, ...wholeVersion(version) },
    becomes: `${word} is used`,
    requireUnchanged: () =>
      requireUnchanged(context, subjectWord(subject), material, fetchDefinition(client, subject, version.number)),
  };
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
