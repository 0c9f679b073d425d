import type { Verify } from "../review/approvals.ts";
import { findDifference } from "../review/verify-version.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import type { DefinitionKind } from "../store/tables.ts";
import { bundleOf, type Definition, type Manifests, manifestReaders, saysTheSame } from "./definition.ts";
import { readSnapshot } from "./definition-snapshot.ts";

/**
 * Makes the comparison of a stored definition with the decision that signed it: the hashes in its row, its manifest, every file, and
 * the text that is used, all hashed again at each call.
 */
export function verifyDefinition<K extends DefinitionKind>(
  db: Db,
  kind: K,
): Verify<Pick<Definition<K>, "manifest" | "files">> {
  const read: (json: unknown) => Manifests[K] | undefined = manifestReaders[kind];
  return async (signed) => {
    const row = await db
      .selectFrom("definitions")
      .selectAll()
      .where("kind", "=", kind)
      .where("name", "=", signed.name)
      .where("number", "=", signed.version)
      .executeTakeFirst();
    if (row === undefined) return differs("its version is gone from the store");
    const differing = findDifference(row, signed);
    if (differing !== undefined) return differs(`${differing} is not the one that was signed`);
    const files = await readFiles(db, row.snapshot);
    if (files === undefined) return differs("a file of it is not the one that was signed");
    if (sha256(bundleOf(kind, row.manifest, files)) !== signed.bundle)
      return differs("its bundle is not the one that was signed");
    const manifest = read(JSON.parse(row.manifest));
    if (manifest === undefined) return { ok: false, reason: "its manifest is from another release", unreadable: true };
    if (!saysTheSame(kind, row.manifest, files)) return differs("its manifest says something else than its files");
    return { ok: true, version: { manifest, files } };
  };
}

/** Texts by path, the main file first; undefined where a blob is missing or was changed. */
export async function readFiles(db: Db, snapshot: string): Promise<ReadonlyMap<string, string> | undefined> {
  const listed = readSnapshot(snapshot);
  const blobs = await db
    .selectFrom("blobs")
    .select(["hash", "bytes"])
    .where("hash", "in", [...new Set(listed.map(([, hash]) => hash))])
    .execute();
  const bytesOf = new Map(blobs.map(({ hash, bytes }) => [hash, Buffer.from(bytes)]));
  const files = new Map<string, string>();
  for (const [path, hash] of listed) {
    const bytes = bytesOf.get(hash);
    if (bytes === undefined || sha256(bytes) !== hash) return undefined;
    files.set(path, bytes.toString("utf8"));
  }
  return files;
}

function differs(reason: string) {
  return { ok: false, reason, unreadable: false } as const;
}
