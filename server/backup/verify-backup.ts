import { createHash } from "node:crypto";
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { appendRow, type Chain, startChain } from "../review/chain.ts";
import { type ChainHead, parseChainHead } from "../review/chain-head.ts";
import type { PublicKey } from "../review/public-key.ts";
import { parseTrustedKeys, readTrustedKeys } from "../review/trusted-keys.ts";
import { type StoreSummary, storeSummary } from "../store/dump-store.ts";
import { migrations } from "../store/migrate.ts";
import { version } from "../version.ts";
import {
  type BackupHeader,
  type BackupPart,
  backupHeader,
  fileOfPart,
  headerName,
  summaryName,
  tableOfPart,
} from "./archive-format.ts";
import { readArchive } from "./read-archive.ts";
import { type TarEntry, wholeEntry } from "./tar.ts";

const longestPart = 512 * 1024 * 1024;

/** A backup that is whole, of a shape that this release knows, with decisions that lead where they should. */
export type VerifiedBackup = Readonly<{
  header: BackupHeader;
  summary: StoreSummary;
  parts: readonly BackupPart[];
  /** The decisions as the keys count them that will be trusted after the restore. */
  chain: Chain;
  /** The keys that the backup would make this machine trust; undefined where it holds none. */
  trusted: readonly PublicKey[] | undefined;
  /** Text of config.yaml; undefined where it holds none. */
  configText: string | undefined;
  /** SHA-256 of each file that it holds, by the name of the part. */
  files: ReadonlyMap<string, string>;
}>;

const decisionRow = z.strictObject({
  seq: z.int(),
  kind: z.string(),
  name: z.string(),
  version: z.int().nullable(),
  decision: z.string(),
  text: z.string(),
  signature: z.string(),
  key_id: z.string(),
  hash: z.string(),
  previous: z.string(),
  created_at: z.coerce.date(),
});
const blobRow = z.object({ hash: z.string(), bytes: z.string().startsWith("\\x") });

/**
 * Reads a backup to its end and changes nothing: every hash, every row counted, every blob under its own hash, every signature. Throws
 * `backup_damaged`, `chain_broken`, `store_newer`.
 */
export async function verifyBackup(
  file: string,
  home: Home,
  { storeOnly }: { storeOnly: boolean },
): Promise<VerifiedBackup> {
  const small = new Map<string, string>();
  const tables = new Map<string, { rows: number; digest: bigint }>();
  const decisions: z.infer<typeof decisionRow>[] = [];

  async function look(part: TarEntry): Promise<void> {
    const table = tableOfPart(part.name);
    const place = fileOfPart(part.name);
    if (table !== undefined) {
      const count = tables.get(table) ?? { rows: 0, digest: 0n };
      for (const line of (await wholeEntry(part, longestPart)).toString().trimEnd().split("\n")) {
        count.rows += 1;
        count.digest += BigInt(`0x${createHash("sha256").update(line).digest("hex")}`);
        if (table === "decisions") decisions.push(decisionRow.parse(JSON.parse(line)));
        if (table === "blobs") requireOwnHash(blobRow.parse(JSON.parse(line)));
      }
      tables.set(table, count);
    } else if (part.name === headerName || part.name === summaryName || place?.kind === "home") {
      small.set(part.name, (await wholeEntry(part, longestPart)).toString());
    } else if (place !== undefined) for await (const _ of part.content);
    else throw new Error(`it holds ${part.name}, which no backup of this release has`);
  }

  const parts = await readArchive(file, look);
  return readArchiveText(file, () => {
    const header = backupHeader.parse(JSON.parse(small.get(headerName) ?? "null"));
    const summary = storeSummary.parse(JSON.parse(small.get(summaryName) ?? "null"));
    requireKnownShape(summary, header);
    for (const { name, rows, digest } of summary.tables) {
      const found = tables.get(name) ?? { rows: 0, digest: 0n };
      const sum = BigInt.asUintN(256, found.digest).toString(16).padStart(64, "0");
      if (found.rows !== rows || sum !== digest) throw new Error(`rows of ${name} are missing or differ`);
      tables.delete(name);
    }
    if (tables.size > 0) throw new Error(`its summary does not name ${[...tables.keys()].join(", ")}`);
    const trustedText = storeOnly ? undefined : small.get("home/keys/trusted.json");
    const trusted = trustedText === undefined ? undefined : parseTrustedKeys(trustedText);
    const chain = startChain(trusted ?? readTrustedKeys(home));
    for (const row of decisions.sort((a, b) => a.seq - b.seq)) appendRow(chain, row);
    const headText = small.get("home/keys/head.json");
    if (headText !== undefined) requireHead(chain, parseChainHead(headText));
    const files = new Map(parts.filter(({ name }) => fileOfPart(name)).map(({ name, sha256 }) => [name, sha256]));
    return { header, summary, parts, chain, trusted, configText: small.get("home/config.yaml"), files };
  });
}

function requireOwnHash({ hash, bytes }: z.infer<typeof blobRow>): void {
  const own = createHash("sha256")
    .update(Buffer.from(bytes.slice(2), "hex"))
    .digest("hex");
  if (hash !== `sha256:${own}`) throw new Error(`the content of blob ${hash} is not what its hash says`);
}

function requireKnownShape({ migrations: applied }: StoreSummary, { program }: BackupHeader): void {
  const known = Object.keys(migrations).sort();
  const unknown = applied.find((name, index) => name !== known[index]);
  if (unknown === undefined) return;
  throw new UserError(
    "store_newer",
    `The backup was made by JobRunner ${program} with a database that this one, ${version}, does not know (${unknown}).`,
    { next: `install JobRunner ${program} or newer and restore with that` },
  );
}

/** A backup whose own home has seen further than its decisions go was cut by somebody. */
function requireHead(chain: Chain, head: ChainHead): void {
  if (head.seq === 0 || chain.hashes.has(head.hash) || chain.acceptedHeads.has(head.hash)) return;
  throw new UserError(
    "chain_broken",
    `The decisions of this backup end at ${chain.head.seq}, and its own home had seen decision ${head.seq}: they were cut or rewritten before it was made. Nothing was changed.`,
    { next: "take an earlier backup" },
  );
}

function readArchiveText<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const what = error instanceof z.ZodError ? "its header or summary makes no sense" : String(error);
    throw new UserError("backup_damaged", `${file} is not whole: ${what}. Nothing was changed.`, {
      cause: error,
    });
  }
}
