import { Command } from "commander";
import { UserError } from "../errors.ts";
import { rebuildBundle } from "../jobs/compile.ts";
import { personCommand } from "../person-command.ts";
import { readKeyFile } from "../review/key-file.ts";
import { composeReview } from "../review/review.ts";
import {
  findFalseMaterial,
  type ReviewMaterial,
  snapshotSchema,
  type VersionMaterial,
} from "../review/review-material.ts";
import { parseSubject } from "../review/subject.ts";
import { approveDefinition } from "./approve-definition.ts";
import { approveShipped } from "./approve-shipped.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { openOwnKey, passphraseStdinHelp, requireTerminal, requireYes } from "./passphrase.ts";
import { showReview } from "./show-review.ts";
import { fetchMaterial, parseVersion, postDecisions, signChain, subjectHelp, wholeVersion } from "./sign-decision.ts";

type Options = { yes?: boolean; passphraseStdin?: boolean; note?: string; shipped?: boolean };

/** `jr approve NAME [vN]`: the person reads, this process checks every hash and signs; the daemon only verifies. */
export function command(context: CliContext): Command {
  return new Command("approve")
    .description("read a new version of a job, role, skill, MCP server or command and sign it, so that it counts")
    .argument("[name]", subjectHelp)
    .argument("[version]", "such as v3; the one that waits where none is given")
    .option("--note <text>", "kept with your signature")
    .option("--shipped", "instead of a name: every role and skill that comes with JobRunner and waits")
    .option("--yes", "do not ask whether you have read it (the passphrase is always asked for)")
    .option("--passphrase-stdin", passphraseStdinHelp)
    .action((name: string | undefined, version: string | undefined, options: Options) => {
      if (options.shipped) return approveShipped(context, options);
      if (name !== undefined) return approve(context, name, parseVersion(version), "approve", options);
      throw new UserError("invalid_argument", "Name what you want to sign.", { next: "jr status" });
    });
}

/** Shows, checks, asks and signs; `activate` is the same for a version that was approved before. */
export async function approve(
  context: CliContext,
  word: string,
  number: number | undefined,
  decision: "approve" | "activate",
  options: Options,
): Promise<void> {
  const { kind, name } = parseSubject(word);
  if (kind !== "job") return approveDefinition(context, { kind, name }, number, decision, options);
  // Asked first, so that nobody reads a whole review only to learn that they cannot sign.
  const { protected: isProtected } = readKeyFile(context.home.approverKey);
  if (isProtected && !options.passphraseStdin)
    requireTerminal(context, "The passphrase of your signing key is asked for");
  const client = await connectDaemon(context);
  const material = await fetchMaterial(client, name, number);
  const { version } = material;
  if (material.active?.version === version.number)
    return print(context, `${name} v${version.number} is approved and active already.`);
  await requireTrue(version);
  await showReview(context, composeReview(material, new Date()), { paged: !options.yes });
  await requireYes(context, `Have you read it, and may ${name} v${version.number} run?`, options);
  const key = await openOwnKey(context, options);
  const now = await fetchMaterial(client, name, version.number);
  requireSame(context, material, now);
  const draft = { kind: "job", name, decision, note: options.note ?? null, ...wholeVersion(version) } as const;
  await postDecisions(client, signChain(now.head, [{ key, draft }]));
  print(context, `${decision === "approve" ? "Approved" : "Activated"}: ${name} v${version.number} runs from now on.`);
}

/** What the daemon sent must be what its hashes say, and the bundle must come of that source and nothing else. */
async function requireTrue(version: VersionMaterial): Promise<void> {
  const refused = (what: string) =>
    new UserError(
      "approval_invalid",
      `Not signed: ${what} of v${version.number} is not what its hash says. Somebody changed the store.`,
      {
        next: "have the version submitted again",
      },
    );
  const differing = findFalseMaterial(version);
  if (differing !== undefined) throw refused(differing);
  const files = new Map(
    Object.entries(version.files).map(([path, bytes]) => [path, new Uint8Array(Buffer.from(bytes, "base64"))]),
  );
  const rebuilt = await rebuildBundle(files, snapshotSchema.parse(JSON.parse(version.snapshot)).entry);
  if (rebuilt.bundleHash !== version.bundle_hash) throw refused("the bundle, made again from the source,");
}

function requireSame(context: CliContext, read: ReviewMaterial, now: ReviewMaterial): void {
  const same = JSON.stringify(wholeVersion(read.version)) === JSON.stringify(wholeVersion(now.version));
  if (same && read.newest === now.newest && read.active?.version === now.active?.version) return;
  throw new UserError("stale_review", `${read.version.job} changed while you were reading. Nothing was signed.`, {
    next: personCommand(context.home, "approve", read.version.job),
  });
}
