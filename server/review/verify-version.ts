import { sql } from "kysely";
import { type Manifest, manifestSchema } from "../jobs/manifest.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import type { Decision } from "./canonical-text.ts";

/** What was signed, ready to run. */
export type SignedVersion = Readonly<{ manifest: Manifest; bundle: string; sourceMap: string | null }>;

/** A stored version whose every byte is what was signed, or what differs. `unreadable`: it is what was signed, in words of another release. */
export type VerifiedVersion = Readonly<
  { ok: true; version: SignedVersion } | { ok: false; reason: string; unreadable: boolean }
>;

/** Most characters of versions that are kept in memory; a start of one of these brings no bundle over from the store. */
const maxKeptChars = 32_000_000;

export type VersionVerifier = Readonly<{
  /**
   * Compares a stored version with the signed text: the hashes in its row, and the bytes themselves of bundle, manifest and list of
   * source files, hashed again at each call. What runs is what was hashed here.
   */
  verify(signed: Decision): Promise<VerifiedVersion>;
  /** The manifest with the signed hash, where it was verified before and is still in memory. It says nothing of the store. */
  keptManifest(signed: Decision): Manifest | undefined;
}>;

type Kept = SignedVersion & Readonly<{ sourceMapHash: string | null }>;

/** Makes the verifier of a store. */
export function createVersionVerifier(db: Db): VersionVerifier {
  const kept = new Map<string, Kept>();
  const keyOf = (signed: Decision) => `${signed.bundle} ${signed.manifest}`;

  function keep(key: string, version: Kept): void {
    kept.delete(key);
    kept.set(key, version);
    let chars = 0;
    for (const [each, { bundle, sourceMap }] of [...kept].reverse()) {
      chars += bundle.length + (sourceMap?.length ?? 0);
      if (chars > maxKeptChars) kept.delete(each);
    }
  }

  async function verify(signed: Decision): Promise<VerifiedVersion> {
    const row = await db
      .selectFrom("versions")
      .leftJoin("blobs as bundle", "bundle.hash", "versions.bundle_hash")
      .selectAll("versions")
      .select(sql<string | null>`'sha256:' || encode(sha256(bundle.bytes), 'hex')`.as("bundle_now"))
      .where("job", "=", signed.name)
      .where("number", "=", signed.version)
      .executeTakeFirst();
    if (row === undefined) return differs("its version is gone from the store");
    const differing = findDifference(row, signed);
    if (differing !== undefined) return differs(`${differing} is not the one that was signed`);
    if (row.bundle_now !== signed.bundle) return differs("its bundle is not the one that was signed");
    const key = keyOf(signed);
    let version = kept.get(key);
    if (version === undefined || version.sourceMapHash !== row.source_map_hash) {
      const manifest = manifestSchema.safeParse(JSON.parse(row.manifest));
      if (!manifest.success) return { ok: false, reason: "its manifest is from another release", unreadable: true };
      const bundle = await readText(db, row.bundle_hash);
      if (bundle === null || sha256(bundle) !== signed.bundle) {
        return differs("its bundle is not the one that was signed");
      }
      const sourceMap = row.source_map_hash === null ? null : await readText(db, row.source_map_hash);
      version = { manifest: manifest.data, bundle, sourceMap, sourceMapHash: row.source_map_hash };
    }
    keep(key, version);
    const { manifest, bundle, sourceMap } = version;
    return { ok: true, version: { manifest, bundle, sourceMap } };
  }

  return { verify, keptManifest: (signed) => kept.get(keyOf(signed))?.manifest };
}

function differs(reason: string): VerifiedVersion {
  return { ok: false, reason, unreadable: false };
}

async function readText(db: Db, hash: string): Promise<string | null> {
  const blob = await db.selectFrom("blobs").select("bytes").where("hash", "=", hash).executeTakeFirst();
  return blob === undefined ? null : Buffer.from(blob.bytes).toString("utf8");
}

/** What a row of versions or definitions says of its content. */
export type StoredHashes = Readonly<{
  source_hash: string;
  bundle_hash: string;
  manifest_hash: string;
  manifest: string;
  snapshot: string;
  compiler: string;
  runtime: string;
}>;

/** The first part of such a row that a signed text does not cover; undefined where all agree. */
export function findDifference(row: StoredHashes, signed: Decision): string | undefined {
  if (row.source_hash !== signed.source || sha256(row.snapshot) !== signed.source) return "its source";
  if (row.bundle_hash !== signed.bundle) return "its bundle";
  if (row.manifest_hash !== signed.manifest || sha256(row.manifest) !== signed.manifest) return "its manifest";
  if (row.compiler !== signed.compiler) return "its compiler";
  if (row.runtime !== signed.runtime) return "its runtime";
  return undefined;
}
