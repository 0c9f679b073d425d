import { requireVersion } from "../jobs/read.ts";
import { requireBlob } from "../store/blobs.ts";
import type { Db } from "../store/open-store.ts";
import type { RehearsedVersion } from "./rehearse.ts";

/** A stored version as a rehearsal needs it, the newest where none is named. Throws `job_not_found`, `version_not_found`. */
export async function readRehearsedVersion(
  db: Db,
  job: string,
  number?: number,
): Promise<RehearsedVersion & { manifestHash: string }> {
  const row = await requireVersion(db, job, number);
  const bundle = Buffer.from(await requireBlob(db, row.bundle_hash)).toString("utf8");
  const map = row.source_map_hash === null ? null : await requireBlob(db, row.source_map_hash);
  return {
    job,
    version: row.number,
    bundle,
    bundleHash: row.bundle_hash,
    sourceMap: map === null ? null : Buffer.from(map).toString("utf8"),
    manifest: row.manifest,
    manifestHash: row.manifest_hash,
  };
}
