import { UserError } from "../errors.ts";
import { pickVersion, readFiles } from "../review/material.ts";
import { subjectNoun, subjectWord } from "../review/subject.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import type { DefinitionKind } from "../store/tables.ts";
import { type DefinitionMaterial, type DefinitionVersionMaterial, findFalseDefinition } from "./definition-material.ts";
import { readSnapshot } from "./definition-snapshot.ts";
import { type DefinitionsDeps, notFound } from "./read-definitions.ts";

/**
 * Reads what a review of that version needs: the newest one that waits, where none is named, else the active one, else the newest.
 * Throws `definition_not_found`, `version_not_found`, and `approval_invalid` where what is stored is not what its hashes say.
 */
export async function readDefinitionMaterial(
  { store, approvals }: DefinitionsDeps,
  subject: { kind: DefinitionKind; name: string },
  number?: number,
): Promise<DefinitionMaterial> {
  const { kind, name } = subject;
  const { db } = store;
  const file = await db
    .selectFrom("definition_files")
    .select(["origin", "path"])
    .where("kind", "=", kind)
    .where("name", "=", name)
    .executeTakeFirst();
  if (file === undefined) throw await notFound({ store }, kind, name);
  const versions = await db
    .selectFrom("definitions")
    .select(["number", "state"])
    .where("kind", "=", kind)
    .where("name", "=", name)
    .orderBy("number", "desc")
    .execute();
  const status = await approvals.status();
  // A broken chain stops every use, but the review must still show, for that is how the person finds out.
  const active = status.problem === null ? ((await approvals.activeOf(subject)) ?? null) : null;
  const wanted = pickVersion(versions, number, active?.version);
  if (wanted === undefined) {
    const which = number === undefined ? "version" : `v${number}`;
    throw new UserError("version_not_found", `There is no ${which} of ${subjectNoun(subject)}.`, {
      next: `jr review ${subjectWord(subject)}`,
    });
  }
  const version = await readVersion(db, kind, name, wanted);
  const differing = findFalseDefinition(version);
  if (differing !== undefined) {
    throw new UserError(
      "approval_invalid",
      `v${wanted} of ${subjectNoun(subject)} in the store is not what its hashes say: ${differing}. Somebody changed it.`,
      { next: "save its file again, and revoke what was changed (jr revoke)" },
    );
  }
  const other = active === null || active.version === wanted ? null : await readVersion(db, kind, name, active.version);
  // A changed base is no base: then everything that the version asks for is shown as new.
  const isFalse = other !== null && findFalseDefinition(other) !== undefined;
  return {
    version,
    base: isFalse ? null : other,
    active: isFalse ? null : active,
    newest: versions[0]?.number ?? wanted,
    ...file,
    head: status.head.hash,
    keys: { count: status.keys, setUp: status.setUp, protected: status.protected, problem: status.problem },
  };
}

async function readVersion(
  db: Db,
  kind: DefinitionKind,
  name: string,
  number: number,
): Promise<DefinitionVersionMaterial> {
  const { note: _, ...row } = await db
    .selectFrom("definitions")
    .selectAll()
    .where("kind", "=", kind)
    .where("name", "=", name)
    .where("number", "=", number)
    .executeTakeFirstOrThrow();
  const listed = sha256(row.snapshot) === row.source_hash ? readSnapshot(row.snapshot) : [];
  return { ...row, created_at: row.created_at.toISOString(), files: await readFiles(db, listed) };
}
