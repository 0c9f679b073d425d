import { UserError } from "../errors.ts";
import { nearestWord } from "../nearest-word.ts";
import type { Approvals } from "../review/approvals.ts";
import { subjectNoun } from "../review/subject.ts";
import type { Store } from "../store/open-store.ts";
import type { DefinitionKind, DefinitionOrigin, VersionState } from "../store/tables.ts";
import type { Definition } from "./definition.ts";
import { describe, listCommands } from "./definition-words.ts";
import { verifyDefinition } from "./verify-definition.ts";

export type DefinitionsDeps = Readonly<{ store: Pick<Store, "db">; approvals: Approvals }>;

/** A definition as lists show it. */
export type DefinitionOverview = Readonly<{
  kind: DefinitionKind;
  name: string;
  description: string;
  origin: DefinitionOrigin;
  /** Its file or folder; null where that was deleted, and then it is not used. */
  path: string | null;
  /** The signed version that is used. */
  active: number | null;
  /** The version that waits for the person. */
  pending: number | null;
  newest: Readonly<{ version: number; state: VersionState; rejectedNote: string | null }>;
}>;

/**
 * The active version of a definition, with signature and every hash verified at this very call, on this machine. Throws
 * `definition_not_found`, `definition_gone`, `not_approved`, `approval_invalid`, `chain_broken`, `key_unsafe`, `version_newer`; what
 * does not verify is reported as event and alert.
 */
export async function requireDefinition<K extends DefinitionKind>(
  { store: { db }, approvals }: DefinitionsDeps,
  kind: K,
  name: string,
): Promise<Definition<K>> {
  const file = await db
    .selectFrom("definition_files")
    .select("path")
    .where("kind", "=", kind)
    .where("name", "=", name)
    .executeTakeFirst();
  if (file === undefined) throw await notFound({ store: { db } }, kind, name);
  if (file.path === null) {
    throw new UserError("definition_gone", `The file of ${subjectNoun({ kind, name })} was deleted.`, {
      next: `put it back, or use another: ${listCommands[kind]}`,
    });
  }
  const { version, manifest, files } = await approvals.requireSigned({ kind, name }, verifyDefinition(db, kind));
  return { kind, name, version, manifest, files };
}

/** Every definition of a kind, or of all, by kind and name; those whose file was deleted long ago and that nobody signed are there too. */
export async function listDefinitions(
  { store: { db }, approvals }: DefinitionsDeps,
  kind?: DefinitionKind,
): Promise<DefinitionOverview[]> {
  let query = db
    .selectFrom("definitions as d")
    .innerJoin("definition_files as f", (join) => join.onRef("f.kind", "=", "d.kind").onRef("f.name", "=", "d.name"))
    .select(["d.kind", "d.name", "d.number", "d.state", "d.manifest", "d.rejected_note", "f.origin", "f.path"])
    .orderBy("d.kind")
    .orderBy("d.name")
    .orderBy("d.number");
  if (kind !== undefined) query = query.where("d.kind", "=", kind);
  const rows = await query.execute();
  const { problem } = await approvals.standing();
  const live = problem === null ? await approvals.liveSubjects() : [];
  const active = new Map(live.map(({ decision }) => [`${decision.kind}:${decision.name}`, decision.version]));
  const found = new Map<string, DefinitionOverview>();
  for (const row of rows) {
    const id = `${row.kind}:${row.name}`;
    const used = active.get(id) ?? null;
    const before = found.get(id);
    found.set(id, {
      kind: row.kind,
      name: row.name,
      origin: row.origin,
      path: row.path,
      active: used,
      pending: row.state === "pending" ? row.number : null,
      newest: { version: row.number, state: row.state, rejectedNote: row.rejected_note },
      // What is used says what it is; where nothing is, the newest does.
      description:
        used !== null && row.number > used && before !== undefined
          ? before.description
          : describe(row.kind, row.manifest),
    });
  }
  return [...found.values()];
}

/** `definition_not_found`, with the name that was probably meant. */
export async function notFound(
  { store: { db } }: Pick<DefinitionsDeps, "store">,
  kind: DefinitionKind,
  name: string,
): Promise<UserError> {
  const rows = await db.selectFrom("definition_files").select("name").where("kind", "=", kind).limit(500).execute();
  const guess = nearestWord(
    name,
    rows.map((row) => row.name),
  );
  const meant = guess === undefined ? "" : ` Did you mean "${guess}"?`;
  return new UserError(
    "definition_not_found",
    `There is no ${subjectNoun({ kind, name: name.slice(0, 80) })}.${meant}`,
    { next: listCommands[kind] },
  );
}
