import { z } from "zod";
import {
  type DefinitionMaterial,
  type DefinitionVersionMaterial,
  definitionMaterialSchema,
} from "../definitions/definition-material.ts";
import { composeDefinitionReview } from "../definitions/definition-review.ts";
import { shippedHashes } from "../definitions/shipped-hashes.ts";
import { UserError } from "../errors.ts";
import type { SigningKey } from "../review/key-file.ts";
import { subjectWord } from "../review/subject.ts";
import { requireTrueDefinition } from "./approve-definition.ts";
import { connectDaemon, type DaemonClient } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { openOwnKey, requireYes } from "./passphrase.ts";
import { reviewWords, type Terminal } from "./review-words.ts";
import { showPaged } from "./show-review.ts";
import { fetchApprovals, postDecisions, signChain, wholeVersion } from "./sign-decision.ts";

type Options = { yes?: boolean; passphraseStdin?: boolean };

const answer = z.object({ materials: z.array(definitionMaterialSchema) });

/** `jr approve --shipped`: every role and skill that comes with the program and waits, with one passphrase. */
export async function approveShipped(context: CliContext, options: Options): Promise<void> {
  const client = await connectDaemon(context);
  const signed = await signShipped(context, client, options, () => openOwnKey(context, options));
  if (signed === 0) print(context, "Nothing that comes with JobRunner waits for a signature.");
}

/** Shows what waits, asks and signs all of it; how many that were. The key is opened once there is something to sign. */
export async function signShipped(
  context: CliContext,
  client: DaemonClient,
  options: Options,
  open: () => Promise<SigningKey>,
): Promise<number> {
  // What a new release came with may have been seen by nobody yet.
  await client.post("/api/definitions/sync", {}, z.object({}));
  const { materials } = await client.get("/api/definitions/shipped/review", answer);
  if (materials.length === 0) return 0;
  const own = await shippedHashes();
  for (const { version } of materials) requireShipped(version, own);
  await showPaged(context, (terminal) => listText(materials, terminal), { paged: !options.yes });
  await requireYes(context, `Sign these ${materials.length}, so that agents may use them?`, options);
  const key = await open();
  const { head } = await fetchApprovals(client);
  const drafts = materials.map(({ version }) => ({
    key,
    draft: {
      kind: version.kind,
      name: version.name,
      decision: "approve" as const,
      note: "comes with JobRunner",
      ...wholeVersion(version),
    },
  }));
  await postDecisions(client, signChain(head.hash, drafts));
  print(context, `Signed: ${materials.map(({ version }) => subjectWord(version)).join(", ")}.`);
  return materials.length;
}

/**
 * Nobody reads two dozen texts to the end, so what is signed in one go must be what this very program came with: a row that only says so
 * in the store is not.
 */
function requireShipped(version: DefinitionVersionMaterial, own: Awaited<ReturnType<typeof shippedHashes>>): void {
  requireTrueDefinition(version, version);
  const word = subjectWord(version);
  const shipped = own.get(`${version.kind}:${version.name}`);
  if (shipped?.source === version.source_hash && shipped.manifest === version.manifest_hash) return;
  throw new UserError(
    "approval_invalid",
    `Nothing was signed: ${word} v${version.number} is not the one that this program came with.`,
    { next: `read it and sign it by itself (jr approve ${word}), or reject it (jr reject ${word})` },
  );
}

/** What each may do, or what a new version may do besides; `jr review role:NAME` has the whole text. */
function listText(materials: readonly DefinitionMaterial[], terminal: Terminal): string {
  const { paint, rule, list, head } = reviewWords(terminal);
  return [
    rule,
    paint("bold", "What comes with JobRunner, and what it may do. The whole text of one: jr review role:NAME"),
    ...materials.flatMap((material) => {
      const review = composeDefinitionReview(material);
      const lines = review.base === null ? review.may : review.widened;
      return [
        ...head(`${review.subject} v${review.version}${review.base === null ? "" : `, instead of v${review.base}`}`),
        ...list([review.description]),
        ...list(lines.length === 0 ? ["- nothing more than before"] : lines.map((line) => `- ${line}`)),
        ...(review.limits === "none" ? [] : list([`- limits: ${review.limits}`])),
      ];
    }),
    rule,
  ].join("\n");
}
