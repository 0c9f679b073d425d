import { Command } from "commander";
import { UserError } from "../errors.ts";
import { rebuildBundle } from "../jobs/compile.ts";
import { readKeyFile } from "../review/key-file.ts";
import { composeReview } from "../review/review.ts";
import { findFalseMaterial, snapshotSchema, type VersionMaterial } from "../review/review-material.ts";
import { parseSubject } from "../review/subject.ts";
import { reviewDefinition } from "./approve-definition.ts";
import { approveShipped } from "./approve-shipped.ts";
import { connectDaemon, type DaemonClient } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { openOwnKey, passphraseStdinHelp, requireTerminal, requireYes } from "./passphrase.ts";
import { showReview } from "./show-review.ts";
import {
  fetchMaterial,
  parseVersion,
  postDecisions,
  type Reviewed,
  requireUnchanged,
  signChain,
  subjectHelp,
  wholeVersion,
} from "./sign-decision.ts";

type Options = { yes?: boolean; passphraseStdin?: boolean; note?: string; shipped?: boolean };
type Decision = "approve" | "activate";
type Wanted = Readonly<{ word: string; number: number | undefined }>;

/** `jr approve NAME [vN]`: the person reads, this process checks every hash and signs; the daemon only verifies. */
export function command(context: CliContext): Command {
  return new Command("approve")
    .description("read new versions of jobs, roles, skills, MCP servers or commands and sign them, so that they count")
    .argument("[names...]", `${subjectHelp}; after a single one, a version such as v3 in place of the one that waits`)
    .option("--note <text>", "kept with your signature")
    .option("--shipped", "instead of a name: every role and skill that comes with JobRunner and waits")
    .option("--yes", "do not ask whether you have read it (the passphrase is always asked for)")
    .option("--passphrase-stdin", passphraseStdinHelp)
    .action((words: string[], options: Options) => {
      if (options.shipped) return approveShipped(context, options);
      if (words.length > 0) return approve(context, wantedOf(words), "approve", options);
      throw new UserError("invalid_argument", "Name what you want to sign.", { next: "jr status" });
    });
}

function wantedOf(words: readonly string[]): Wanted[] {
  const [word = "", second = ""] = words;
  if (words.length === 2 && /^v?[0-9]+$/.test(second)) return [{ word, number: parseVersion(second) }];
  return [...new Set(words)].map((each) => ({ word: each, number: undefined }));
}

/** Shows, checks and asks for each, then signs all of them or none; `activate` is the same for versions that were approved before. */
export async function approve(
  context: CliContext,
  wanted: readonly Wanted[],
  decision: Decision,
  options: Options,
): Promise<void> {
  const subjects = wanted.map(({ word, number }) => ({ ...parseSubject(word), number }));
  // Asked first, so that nobody reads a whole review only to learn that they cannot sign.
  const { protected: isProtected } = readKeyFile(context.home.approverKey);
  if (isProtected && !options.passphraseStdin)
    requireTerminal(context, "The passphrase of your signing key is asked for");
  const client = await connectDaemon(context);
  const read: Reviewed[] = [];
  for (const { kind, name, number } of subjects) {
    const one =
      kind === "job"
        ? await reviewJob(context, client, name, number, options)
        : await reviewDefinition(context, client, { kind, name }, number, options);
    if (one !== null) read.push(one);
  }
  if (read.length === 0) return;
  const key = await openOwnKey(context, options);
  let head = "";
  for (const { requireUnchanged } of read) head = await requireUnchanged();
  const note = options.note ?? null;
  const drafts = read.map(({ version }) => ({ key, draft: { ...version, decision, note } }));
  await postDecisions(client, signChain(head, drafts));
  const done = decision === "approve" ? "Approved" : "Activated";
  for (const { becomes } of read) print(context, `${done}: ${becomes} from now on.`);
}

/** Shows a job's version and asks; null where nothing is left to sign. */
async function reviewJob(
  context: CliContext,
  client: DaemonClient,
  name: string,
  number: number | undefined,
  options: Options,
): Promise<Reviewed | null> {
  const material = await fetchMaterial(client, name, number);
  const { version } = material;
  const word = `${name} v${version.number}`;
  if (material.active?.version === version.number) {
    print(context, `${word} is approved and active already.`);
    return null;
  }
  await requireTrue(version);
  await showReview(context, composeReview(material, new Date()), { paged: !options.yes });
  await requireYes(context, `Have you read it, and may ${word} run?`, options);
  return {
    version: { kind: "job", name, ...wholeVersion(version) },
    becomes: `${word} runs`,
    requireUnchanged: () => requireUnchanged(context, name, material, fetchMaterial(client, name, version.number)),
  };
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
