import { z } from "zod";
import { type DefinitionMaterial, definitionMaterialSchema } from "../definitions/definition-material.ts";
import { UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import type { SigningKey } from "../review/key-file.ts";
import type { ReviewMaterial, VersionMaterial } from "../review/review-material.ts";
import { reviewMaterialSchema } from "../review/review-material.ts";
import { type DecisionDraft, type SignedDecision, signDecision } from "../review/sign.ts";
import { definitionKinds } from "../review/subject.ts";
import type { DefinitionKind } from "../store/tables.ts";
import type { DaemonClient } from "./client.ts";
import type { CliContext } from "./context.ts";

/** What commands about decisions take as a name. */
export const subjectHelp = "a job's name, or role:NAME, skill:NAME, mcp:NAME, command:NAME";

const recordedSchema = z.object({ recorded: z.array(z.object({ seq: z.int(), hash: z.string() })) });

const publicKey = z.object({ id: z.string(), raw: z.string(), protected: z.boolean(), label: z.string().nullable() });
const head = z.object({ seq: z.int(), hash: z.string() });
const signedVersion = z.object({
  kind: z.enum(["job", ...definitionKinds]),
  name: z.string(),
  version: z.int().nullable(),
  source: z.string().nullable(),
  bundle: z.string().nullable(),
  manifest: z.string().nullable(),
  compiler: z.string().nullable(),
  runtime: z.string().nullable(),
});

/** What the daemon says of keys and chain. */
export const approvalsSchema = z.object({
  problem: z.string().nullable(),
  head,
  lostHead: head.nullable(),
  keyList: z.array(publicKey.extend({ trustedBy: z.string().nullable(), revoked: z.boolean() })),
  refused: z.array(
    z.object({ seq: z.int(), reason: z.string(), kind: z.string(), name: z.string(), decision: z.string() }),
  ),
  live: z.array(z.object({ seq: z.int(), keyId: z.string(), decision: signedVersion })),
});

export type ApprovalsAnswer = z.infer<typeof approvalsSchema>;

/** Keys, head and live approvals, as the daemon judges them. */
export function fetchApprovals(client: DaemonClient): Promise<ApprovalsAnswer> {
  return client.get("/api/approvals", approvalsSchema);
}

/** What a review is made of, for the version asked for or the one that waits. */
export function fetchMaterial(client: DaemonClient, job: string, version: number | undefined): Promise<ReviewMaterial> {
  const query = version === undefined ? "" : `?version=${version}`;
  return client.get(`/api/jobs/${encodeURIComponent(job)}/review${query}`, reviewMaterialSchema);
}

type WholeVersion = Pick<
  VersionMaterial,
  "number" | "source_hash" | "bundle_hash" | "manifest_hash" | "compiler" | "runtime"
>;

/** The same of a role, skill, MCP server or command. */
export function fetchDefinition(
  client: DaemonClient,
  { kind, name }: { kind: DefinitionKind; name: string },
  version: number | undefined,
): Promise<DefinitionMaterial> {
  const query = version === undefined ? "" : `?version=${version}`;
  return client.get(`/api/definitions/${kind}/${encodeURIComponent(name)}/review${query}`, definitionMaterialSchema);
}

/** The fields of a signed text that name one whole version. */
export function wholeVersion(version: WholeVersion) {
  const { number, source_hash, bundle_hash, manifest_hash, compiler, runtime } = version;
  return { version: number, source: source_hash, bundle: bundle_hash, manifest: manifest_hash, compiler, runtime };
}

/** What a person has read and wants to sign. */
export type Reviewed = Readonly<{
  version: Pick<DecisionDraft, "kind" | "name"> & ReturnType<typeof wholeVersion>;
  /** What is said of it once it is signed, such as `watch v3 runs`. */
  becomes: string;
  /** The head of the chain that its signature follows. Throws `stale_review`. */
  requireUnchanged(): Promise<string>;
}>;

type Material = Readonly<{ version: WholeVersion; newest: number; active: { version: number } | null; head: string }>;

/** The head of the chain, where nothing that a signature is about has changed since it was read. Throws `stale_review`. */
export async function requireUnchanged(
  context: CliContext,
  word: string,
  read: Material,
  current: Promise<Material>,
): Promise<string> {
  const now = await current;
  const same = JSON.stringify(wholeVersion(read.version)) === JSON.stringify(wholeVersion(now.version));
  if (same && read.newest === now.newest && read.active?.version === now.active?.version) return now.head;
  throw new UserError("stale_review", `${word} changed while you were reading. Nothing was signed.`, {
    next: personCommand(context.home, "approve", word),
  });
}

/** Signs decisions one after the other, so that each follows the one before, beginning at `head`. */
export function signChain(
  head: string,
  drafts: readonly { key: SigningKey; draft: Omit<DecisionDraft, "previous" | "time"> }[],
): SignedDecision[] {
  const time = new Date().toISOString();
  const signed: SignedDecision[] = [];
  for (const { key, draft } of drafts)
    signed.push(signDecision(key, { ...draft, time, previous: signed.at(-1)?.hash ?? head }));
  return signed;
}

/** Hands signed decisions to the daemon: all count, or none. */
export async function postDecisions(client: DaemonClient, signed: readonly SignedDecision[]): Promise<void> {
  const decisions = signed.map(({ text, signature }) => ({ text, signature }));
  await client.post("/api/decisions", { decisions }, recordedSchema);
}

/** `v3` or `3` as a number, undefined where none is given. Throws `invalid_argument`. */
export function parseVersion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const digits = /^v?([1-9][0-9]{0,8})$/.exec(text)?.[1];
  if (digits === undefined) throw new UserError("invalid_argument", `"${text}" is no version; versions look like v3.`);
  return Number(digits);
}
