import { z } from "zod";
import { UserError } from "../errors.ts";
import { behaviourDiffSchema, type DiffBehaviour } from "../rehearsal/behaviour-diff.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { Approvals } from "./approvals.ts";
import { decisionsShape, pickVersion, readFiles, versionShape } from "./material.ts";

const versionMaterial = z.object({
  ...versionShape,
  job: z.string(),
  packages: z.string(),
  checks: z.string(),
  note: z.string().nullable(),
  /** JSON of a RehearsalReport; unsigned. */
  rehearsal: z.string().nullable(),
});

/** Everything that a review is made of and that a signature needs, as plain JSON; the person's process checks every hash of it. */
export const reviewMaterialSchema = z.object({
  version: versionMaterial,
  /** The version that is active now, to compare with. */
  base: versionMaterial.nullable(),
  ...decisionsShape,
  /** What it would have done otherwise in the last runs of `base`; null where that was not compared. Unsigned. */
  behaviour: behaviourDiffSchema.nullable(),
  pausedBy: z.string().nullable(),
});

export type VersionMaterial = z.infer<typeof versionMaterial>;
export type ReviewMaterial = z.infer<typeof reviewMaterialSchema>;

/** The list of a version's source files, as it is hashed. */
export const snapshotSchema = z.object({
  entry: z.string(),
  files: z.record(z.string(), z.object({ hash: z.string(), bytes: z.int().nonnegative() })),
});

/**
 * Reads what a review of that version needs: the newest one that waits, where none is named, else the active one, else the newest.
 * Throws `job_not_found`, `version_not_found`, and `approval_invalid` where what is stored is not what its hashes say.
 */
export async function readReviewMaterial(
  { db, approvals, diffBehaviour }: { db: Db; approvals: Approvals; diffBehaviour?: DiffBehaviour | undefined },
  name: string,
  number?: number,
): Promise<ReviewMaterial> {
  const job = await db.selectFrom("jobs").selectAll().where("name", "=", name).executeTakeFirst();
  if (job === undefined) throw new UserError("job_not_found", `No job "${name}".`, { next: "job_list" });
  const versions = await db
    .selectFrom("versions")
    .select(["number", "state"])
    .where("job", "=", name)
    .orderBy("number", "desc")
    .execute();
  const status = await approvals.status();
  // A broken chain stops every run, but the review must still show, for that is how the person finds out.
  const active = status.problem === null ? ((await approvals.active(name)) ?? null) : null;
  const wanted = pickVersion(versions, number, active?.version);
  if (wanted === undefined) {
    const which = number === undefined ? "version" : `v${number}`;
    throw new UserError("version_not_found", `Job "${name}" has no ${which}.`, { next: `jr review ${name}` });
  }
  const version = await readVersion(db, name, wanted);
  const differing = findFalseMaterial(version);
  if (differing !== undefined) {
    throw new UserError(
      "approval_invalid",
      `v${wanted} of "${name}" in the store is not what its hashes say: ${differing}. Somebody changed it.`,
      {
        next: "submit the job again, and revoke what was changed (jr revoke)",
      },
    );
  }
  const other = active === null || active.version === wanted ? null : await readVersion(db, name, active.version);
  // A changed base is no base: then everything that the version asks for is shown as new.
  const isFalse = other !== null && findFalseMaterial(other) !== undefined;
  const compares = other !== null && !isFalse && version.state === "pending";
  const behaviour = compares ? await diffBehaviour?.(name, wanted, other.number) : undefined;
  return {
    version,
    behaviour: behaviour ?? null,
    base: isFalse ? null : other,
    active: isFalse ? null : active,
    newest: versions[0]?.number ?? wanted,
    pausedBy: job.state === "paused" ? (job.paused_by ?? "person") : null,
    head: status.head.hash,
    keys: { count: status.keys, setUp: status.setUp, protected: status.protected, problem: status.problem },
  };
}

async function readVersion(db: Db, job: string, number: number): Promise<VersionMaterial> {
  const row: Row<"versions"> = await db
    .selectFrom("versions")
    .selectAll()
    .where("job", "=", job)
    .where("number", "=", number)
    .executeTakeFirstOrThrow();
  const isWhole = sha256(row.snapshot) === row.source_hash;
  const listed = isWhole ? Object.entries(snapshotSchema.parse(JSON.parse(row.snapshot)).files) : [];
  const files = await readFiles(
    db,
    listed.map(([path, { hash }]) => [path, hash]),
  );
  return { ...row, created_at: row.created_at.toISOString(), files };
}

type Hashed = Pick<VersionMaterial, "manifest" | "manifest_hash" | "snapshot" | "source_hash" | "files">;

/** The first part of a version's material that is not what its hashes say; undefined where all agree. */
export function findFalseMaterial(version: Hashed): string | undefined {
  if (sha256(version.manifest) !== version.manifest_hash) return "the manifest";
  if (sha256(version.snapshot) !== version.source_hash) return "the list of source files";
  const listed = snapshotSchema.parse(JSON.parse(version.snapshot)).files;
  const names = Object.keys(version.files);
  if (names.length !== Object.keys(listed).length) return "the set of source files";
  return names.find((path) => sha256(Buffer.from(version.files[path] ?? "", "base64")) !== listed[path]?.hash);
}
