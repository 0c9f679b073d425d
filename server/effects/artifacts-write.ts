import { mkdir } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import type { NewRow } from "../store/tables.ts";
import { defineEffect } from "./define-effect.ts";
import { requireSendable } from "./files-bytes.ts";
import { placeDraft, renameSurely } from "./files-replace.ts";
import { asPathError } from "./path-error.ts";

/** Bytes that the usual file systems take for one name. */
const maxNameBytes = 255;

const name = z
  .string()
  .min(1)
  .max(128)
  .refine(
    (text) => text.isWellFormed() && !/[\p{Cc}/\\]/u.test(text) && !/^\.+$/.test(text),
    "an artifact's name is one plain file name, without slashes and control characters",
  )
  .refine((text) => Buffer.byteLength(text) <= maxNameBytes, `a name has at most ${maxNameBytes} bytes`);

const args = z.strictObject({
  name,
  type: z
    .string()
    .max(200)
    .regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(; ?[\w.-]+=[\w.+-]+)*$/, "a media type such as text/markdown")
    .nullable(),
  data: z.string(),
});
type Args = z.infer<typeof args>;

/** `artifacts.write`: a file that stays with the run, for people. The same again is no harm, other content is `file_exists`. */
export const artifactsWrite = defineEffect({
  op: "artifacts.write",
  kind: "outside",
  args,
  safe: () => true,
  rehearse({ manifest }, given) {
    const { facts } = readArtifact(manifest, given);
    requireRoom(manifest, facts.name, facts.bytes);
    return facts;
  },
  async perform({ db, manifest, services, runId, attempt, seed, seq, clock }, given) {
    const { bytes, facts } = readArtifact(manifest, given);
    const folder = services.runFolder(runId);
    const { type, ...rest } = facts;
    const row = { ...rest, media_type: type, run_id: runId, attempt, created_at: clock() };
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // No job knows the seed, so no artifact can have this name.
      await placeDraft({ folder, draft: `.${seed}-${seq}.new`, bytes, mode: 0o600 }, (draft) =>
        db.transaction().execute(async (trx) => {
          await recordArtifact(trx, manifest, row);
          await renameSurely(draft, folder, facts.name);
        }),
      );
    } catch (thrown) {
      throw asPathError(thrown, facts.name);
    }
    return facts;
  },
});

function readArtifact(manifest: Manifest, { name, type, data }: Args) {
  const bytes = requireSendable(manifest, data, name);
  const facts = { name, bytes: bytes.length, sha256: sha256(bytes), type: type ?? "application/octet-stream" };
  return { bytes, facts };
}

/** Puts it on record, one artifact of a run after the other, so that names and the total hold however many are written at once. */
async function recordArtifact(trx: Db, manifest: Manifest, row: NewRow<"artifacts">): Promise<void> {
  await trx.selectFrom("runs").select("id").where("id", "=", row.run_id).forUpdate().execute();
  const ofRun = trx.selectFrom("artifacts").where("run_id", "=", row.run_id);
  const before = await ofRun.selectAll().where("name", "=", row.name).executeTakeFirst();
  // A retry begins anew, so what an earlier attempt left gives way.
  if (before?.attempt === row.attempt && before.sha256 !== row.sha256) {
    throw new UserError("file_exists", `This run has an artifact "${row.name}" already, with other content.`);
  }
  const { total } = await ofRun
    .select(({ fn }) => fn.sum("bytes").as("total"))
    .where("name", "!=", row.name)
    .executeTakeFirstOrThrow();
  requireRoom(manifest, row.name, Number(total ?? 0) + row.bytes);
  const { run_id: _run, name: _name, ...changed } = row;
  await trx
    .insertInto("artifacts")
    .values(row)
    .onConflict((c) => c.columns(["run_id", "name"]).doUpdateSet(changed))
    .execute();
}

function requireRoom({ limits }: Manifest, name: string, total: number): void {
  if (total <= limits.artifactBytes) return;
  throw new UserError(
    "limit_exceeded",
    `With "${name}" the run's artifacts have ${total} bytes, more than ${limits.artifactBytes}; limits.artifactBytes in defineJob raises that.`,
  );
}
