import { UserError } from "../errors.ts";
import type { DiffBehaviour } from "../rehearsal/behaviour-report.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { Approvals } from "./approvals.ts";
import { pickVersion, readFiles } from "./material.ts";
import { findFalseMaterial, type ReviewMaterial, snapshotSchema, type VersionMaterial } from "./review-material.ts";

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
