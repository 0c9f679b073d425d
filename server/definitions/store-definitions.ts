import { sql } from "kysely";
import { canonicalJson } from "../canonical-json.ts";
import type { Approvals } from "../review/approvals.ts";
import { recordEvent } from "../runs/events.ts";
import { sha256 } from "../sha256.ts";
import { putBlob } from "../store/blobs.ts";
import { type Db, notify, type Store } from "../store/open-store.ts";
import type { DefinitionKind, DefinitionOrigin, Row, VersionState } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import { bundleOf, definitionCompiler, definitionRuntime } from "./definition.ts";
import { snapshotText } from "./definition-snapshot.ts";

/** A definition as it stands on disk, parsed. */
export type FoundDefinition = Readonly<{
  kind: DefinitionKind;
  name: string;
  origin: DefinitionOrigin;
  /** The file or folder that it comes from. */
  path: string;
  /** Texts by path, the main file first. */
  files: ReadonlyMap<string, string>;
  /** Of its kind; plain JSON. */
  manifest: unknown;
  proposedBy: string;
}>;

/** Writers of all machines take turns: an advisory lock of this number for the length of a transaction. */
const definitionsLock = 7_717_009;

/**
 * Stores what is new as versions that wait for the person, unless the newest or the active version has this content already; an older
 * one that waits is superseded. What is known and unchanged costs one query in all. Returns the versions that were made.
 */
export async function storeDefinitions(
  { store, approvals }: Readonly<{ store: Store; approvals: Approvals }>,
  found: readonly FoundDefinition[],
  { folderOf, now }: { folderOf: (origin: DefinitionOrigin) => string; now: Date },
): Promise<readonly Readonly<{ kind: DefinitionKind; name: string; version: number }>[]> {
  const prepared = found.map(prepare);
  const known = await readVersions(store.db);
  const files = await readFileRows(store.db);
  const live = await approvals.liveSubjects();
  const active = new Map(live.map(({ decision }) => [`${decision.kind}:${decision.name}`, decision.version]));
  const changed = prepared.filter((each) => {
    const file = files.get(idOf(each));
    const same = file?.path === each.path && file.origin === each.origin && file.folder === folderOf(each.origin);
    const versions = known.get(idOf(each)) ?? [];
    return !same || !isStored(versions, active.get(idOf(each)) ?? null, each);
  });
  if (changed.length === 0) return [];
  return store.db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${definitionsLock})`.execute(trx);
    const made = [];
    for (const each of changed) {
      await placeFile(trx, each, folderOf(each.origin), now);
      const version = await storeOne(trx, each, active.get(idOf(each)) ?? null, now);
      if (version !== undefined) made.push({ kind: each.kind, name: each.name, version });
    }
    // One event for all: a first start stores two dozen shipped ones.
    if (made.length > 0) {
      const detail = made.map(({ kind, name, version }) => `${kind}:${name} v${version}`);
      await recordEvent(trx, {
        kind: "definitions.created",
        actor: "daemon",
        subject: "definitions",
        detail: { versions: detail },
        traceId: null,
      });
    }
    await notify(trx, "definitions");
    return made;
  });
}

/** Says that a definition's file is gone, so that nothing of that name is used until it is back. */
export async function markGone(
  store: Store,
  { kind, name, path }: Pick<Row<"definition_files">, "kind" | "name" | "path">,
  now: Date,
): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await trx
      .updateTable("definition_files")
      .set({ path: null, updated_at: now })
      .where("kind", "=", kind)
      .where("name", "=", name)
      .execute();
    await trx
      .updateTable("definitions")
      .set({ state: "superseded" })
      .where("kind", "=", kind)
      .where("name", "=", name)
      .where("state", "=", "pending")
      .execute();
    await recordEvent(trx, {
      kind: "definition.gone",
      actor: "folder",
      subject: `${kind}:${name}`,
      detail: { path },
      traceId: null,
    });
    await notify(trx, "definitions");
  });
}

/** Where every definition stands, by `kind:name`. */
export async function readFileRows(db: Db): Promise<ReadonlyMap<string, Row<"definition_files">>> {
  const rows = await db.selectFrom("definition_files").selectAll().execute();
  return new Map(rows.map((row) => [idOf(row), row]));
}

type Prepared = FoundDefinition & Readonly<{ text: string; snapshot: string; hashes: Hashes }>;
type Hashes = Pick<Row<"definitions">, "source_hash" | "bundle_hash" | "manifest_hash">;
type Stored = Pick<Row<"definitions">, "number" | "state" | "compiler" | "runtime"> & Hashes;

function prepare(found: FoundDefinition): Prepared {
  const text = canonicalJson(found.manifest);
  const snapshot = snapshotText(found.files);
  const bundle = bundleOf(found.kind, text, found.files);
  const hashes = { source_hash: sha256(snapshot), bundle_hash: sha256(bundle), manifest_hash: sha256(text) };
  return { ...found, text, snapshot, hashes };
}

function idOf({ kind, name }: { kind: string; name: string }): string {
  return `${kind}:${name}`;
}

/** What was decided stays as it was; one that waits is made anew where another release would read it otherwise. */
function hasContent(row: Stored, { hashes }: Prepared): boolean {
  const same = row.source_hash === hashes.source_hash && row.manifest_hash === hashes.manifest_hash;
  const current = row.compiler === definitionCompiler && row.runtime === definitionRuntime;
  return same && (row.state !== "pending" || (current && row.bundle_hash === hashes.bundle_hash));
}

const storedColumns = [
  "number",
  "state",
  "compiler",
  "runtime",
  "source_hash",
  "bundle_hash",
  "manifest_hash",
] as const;

/** Versions of every definition, the newest first. */
async function readVersions(db: Db): Promise<ReadonlyMap<string, readonly Stored[]>> {
  const rows = await db
    .selectFrom("definitions")
    .select(["kind", "name", ...storedColumns])
    .orderBy("number", "desc")
    .execute();
  return Map.groupBy(rows, idOf);
}

/** Whether there is nothing to do: the newest version has this content, or the active one and nothing waits. */
function isStored(versions: readonly Stored[], active: number | null, each: Prepared): boolean {
  const [newest] = versions;
  if (newest === undefined) return false;
  if (hasContent(newest, each)) return newest.state !== "superseded";
  const used = versions.find(({ number }) => number === active);
  return newest.state !== "pending" && used !== undefined && hasContent(used, each);
}

async function placeFile(trx: Db, { kind, name, origin, path }: Prepared, folder: string, now: Date): Promise<void> {
  await trx
    .insertInto("definition_files")
    .values({ kind, name, origin, path, folder, updated_at: now })
    .onConflict((conflict) => conflict.columns(["kind", "name"]).doUpdateSet({ origin, path, folder, updated_at: now }))
    .execute();
}

async function setState(trx: Db, { kind, name }: Prepared, number: number, state: VersionState): Promise<void> {
  await trx
    .updateTable("definitions")
    .set({ state })
    .where("kind", "=", kind)
    .where("name", "=", name)
    .where("number", "=", number)
    .execute();
}

async function storeOne(trx: Db, each: Prepared, active: number | null, now: Date): Promise<number | undefined> {
  const { kind, name, text, snapshot, hashes, files, proposedBy } = each;
  const rows = await trx
    .selectFrom("definitions")
    .select(storedColumns)
    .where("kind", "=", kind)
    .where("name", "=", name)
    .orderBy("number", "desc")
    .execute();
  const [newest] = rows;
  if (newest !== undefined && hasContent(newest, each)) {
    if (newest.state !== "superseded") return undefined;
    // It was taken back, and is there again.
    await setState(trx, each, newest.number, "pending");
    return newest.number;
  }
  await trx
    .updateTable("definitions")
    .set({ state: "superseded" })
    .where("kind", "=", kind)
    .where("name", "=", name)
    .where("state", "=", "pending")
    .execute();
  const used = rows.find(({ number }) => number === active);
  if (used !== undefined && hasContent(used, each)) return undefined;
  const number = (newest?.number ?? 0) + 1;
  for (const file of files.values()) await putBlob(trx, file);
  await putBlob(trx, bundleOf(kind, text, files));
  await trx
    .insertInto("definitions")
    .values({
      kind,
      name,
      number,
      state: "pending",
      ...hashes,
      manifest: text,
      snapshot,
      compiler: definitionCompiler,
      runtime: definitionRuntime,
      proposed_by: storableText(proposedBy),
      note: null,
      rejected_note: null,
      created_at: now,
    })
    .execute();
  return number;
}
