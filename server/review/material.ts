import { z } from "zod";
import type { Db } from "../store/open-store.ts";

/* What reviews of jobs and of definitions have in common. */

/** Of a version of either. Hashes are SHA-256 in hex. */
export const versionShape = {
  number: z.int().positive(),
  state: z.enum(["pending", "approved", "rejected", "superseded", "revoked"]),
  source_hash: z.string(),
  bundle_hash: z.string(),
  manifest_hash: z.string(),
  /** Texts exactly as they were hashed. */
  manifest: z.string(),
  snapshot: z.string(),
  compiler: z.string(),
  runtime: z.string(),
  proposed_by: z.string(),
  rejected_note: z.string().nullable(),
  created_at: z.iso.datetime(),
  /** Bytes of its files in base64, by path. */
  files: z.record(z.string(), z.string()),
};

/** Of the material around a version. */
export const decisionsShape = {
  active: z.object({ version: z.int(), decidedAt: z.string(), keyId: z.string() }).nullable(),
  newest: z.int(),
  /** Hash of the last decision. */
  head: z.string(),
  keys: z.object({ count: z.int(), setUp: z.boolean(), protected: z.boolean(), problem: z.string().nullable() }),
};

/**
 * The version that is reviewed where none is named: the newest one that waits, else the active one, else the newest. Undefined where the
 * named one, or any, is missing. `versions` has the newest first.
 */
export function pickVersion(
  versions: readonly Readonly<{ number: number; state: string }>[],
  named: number | undefined,
  active: number | undefined,
): number | undefined {
  const wanted = named ?? versions.find(({ state }) => state === "pending")?.number ?? active ?? versions[0]?.number;
  return versions.some(({ number }) => number === wanted) ? wanted : undefined;
}

/** Bytes of stored files in base64, by path; empty where the store has none of that hash. */
export async function readFiles(
  db: Db,
  listed: readonly (readonly [path: string, hash: string])[],
): Promise<Record<string, string>> {
  const hashes = [...new Set(listed.map(([, hash]) => hash))];
  const blobs =
    hashes.length === 0
      ? []
      : await db.selectFrom("blobs").select(["hash", "bytes"]).where("hash", "in", hashes).execute();
  const bytesOf = new Map(blobs.map(({ hash, bytes }) => [hash, bytes]));
  return Object.fromEntries(
    listed.map(([path, hash]) => [path, Buffer.from(bytesOf.get(hash) ?? []).toString("base64")]),
  );
}
