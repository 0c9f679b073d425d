import { canonicalJson } from "../canonical-json.ts";
import { UserError } from "../errors.ts";
import type { RehearsalReport } from "../rehearsal/rehearsal-report.ts";
import { recordEvent } from "../runs/events.ts";
import { putBlob } from "../store/blobs.ts";
import { type Db, notify } from "../store/open-store.ts";
import type { Row, VersionState } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import type { CompiledJob } from "./compile.ts";
import { manifestSchema } from "./manifest.ts";

export type NewVersion = Readonly<{
  name: string;
  /** As `folderName` makes it. */
  folder: string;
  job: CompiledJob;
  manifest: Readonly<{ text: string; hash: string }>;
  runtime: string;
  proposedBy: string;
  note: string | null;
  /** The approved version that is active, which keeps running whatever is proposed. */
  active: number | null;
  traceId: string | null;
  now: Date;
}>;

export type StoredVersion = Readonly<{
  created: boolean;
  version: number;
  state: VersionState;
  /** What the person said when they rejected this very content. */
  rejectedNote: string | null;
}>;

/**
 * Stores a version that waits for the person, unless the newest one or the active one has this content already. An older one
 * that waits is superseded. Call it inside a transaction. Throws `job_retired`.
 */
export async function storeVersion(trx: Db, version: NewVersion): Promise<StoredVersion> {
  const { name, folder, job, manifest, active, now } = version;
  const row = await lockJob(trx, name, job.entry, now);
  if (row.state === "retired") {
    throw new UserError("job_retired", `The job "${name}" was retired.`, { next: "submit it under another name" });
  }
  if (row.path !== job.entry || row.folder !== folder) {
    await trx.updateTable("jobs").set({ path: job.entry, folder, updated_at: now }).where("name", "=", name).execute();
  }
  const [newest] = await trx
    .selectFrom("versions")
    .selectAll()
    .where("job", "=", name)
    .orderBy("number", "desc")
    .limit(1)
    .execute();
  if (newest !== undefined && hasContent(newest, version)) {
    return { created: false, version: newest.number, state: newest.state, rejectedNote: newest.rejected_note };
  }
  const running = active === null ? undefined : await findVersion(trx, name, active);
  const backToActive = running !== undefined && hasContent(running, version);
  await trx
    .updateTable("versions")
    .set({ state: "superseded" })
    .where("job", "=", name)
    .where("state", "=", "pending")
    .execute();
  if (backToActive) {
    await notify(trx, "jobs", name);
    return { created: false, version: running.number, state: running.state, rejectedNote: null };
  }
  const number = (newest?.number ?? 0) + 1;
  await insert(trx, number, version);
  await recordEvent(trx, {
    kind: "version.created",
    actor: version.proposedBy,
    subject: name,
    detail: { version: number, source: job.sourceHash, manifest: manifest.hash },
    traceId: version.traceId,
  });
  await notify(trx, "jobs", name);
  return { created: true, version: number, state: "pending", rejectedNote: null };
}

/** The job's row, made where it is new and locked to the end of the transaction, so that versions follow one another. */
export async function lockJob(trx: Db, name: string, path: string, now: Date): Promise<Row<"jobs">> {
  await trx
    .insertInto("jobs")
    .values({
      name,
      state: "active",
      paused_by: null,
      paused_reason: null,
      paused_at: null,
      path,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return trx.selectFrom("jobs").selectAll().where("name", "=", name).forUpdate().executeTakeFirstOrThrow();
}

/** Keeps what a version did when it was rehearsed, for its review. */
export async function keepRehearsal(db: Db, job: string, number: number, report: RehearsalReport): Promise<void> {
  const rehearsal = storableText(JSON.stringify(report));
  await db.updateTable("versions").set({ rehearsal }).where("job", "=", job).where("number", "=", number).execute();
}

function findVersion(trx: Db, job: string, number: number): Promise<Row<"versions"> | undefined> {
  return trx.selectFrom("versions").selectAll().where("job", "=", job).where("number", "=", number).executeTakeFirst();
}

/**
 * A newer release makes another bundle of the same source, and writes defaults into its manifest that the older one did not know. A
 * version that was decided stays as it was, or an upgrade would ask for every signature again; one that waits must be made anew,
 * since the person's side rebuilds what it signs.
 */
function hasContent(row: Row<"versions">, { job, manifest, runtime }: NewVersion): boolean {
  if (row.source_hash !== job.sourceHash) return false;
  if (row.state !== "pending") return row.manifest_hash === manifest.hash || sayAnew(row.manifest) === manifest.text;
  return row.manifest_hash === manifest.hash && row.bundle_hash === job.bundleHash && row.runtime === runtime;
}

/** A manifest as this release would write it; undefined where it says what this one does not know. */
function sayAnew(text: string): string | undefined {
  const manifest = manifestSchema.safeParse(JSON.parse(text));
  return manifest.success ? canonicalJson(manifest.data) : undefined;
}

async function insert(
  trx: Db,
  number: number,
  { name, job, manifest, runtime, proposedBy, note, now }: NewVersion,
): Promise<void> {
  for (const bytes of job.files.values()) await putBlob(trx, bytes);
  await trx
    .insertInto("versions")
    .values({
      job: name,
      number,
      state: "pending",
      source_hash: job.sourceHash,
      bundle_hash: await putBlob(trx, job.bundle),
      manifest_hash: manifest.hash,
      source_map_hash: await putBlob(trx, job.sourceMap),
      manifest: manifest.text,
      snapshot: job.snapshot,
      packages: JSON.stringify(job.packages),
      checks: storableText(JSON.stringify(job.warnings)),
      compiler: job.compiler,
      runtime,
      proposed_by: storableText(proposedBy),
      note: note === null ? null : storableText(note),
      rejected_note: null,
      created_at: now,
    })
    .execute();
}
