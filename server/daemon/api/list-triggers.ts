import { triggersInWords } from "../../jobs/trigger-words.ts";
import type { Approvals } from "../../review/approvals.ts";
import { createSignedManifests } from "../../runs/workers/signed-manifests.ts";
import type { Db } from "../../store/open-store.ts";

/** What starts active jobs (or one of them) besides their schedules, in words, as their approved versions say. */
export async function listTriggers(
  { db, approvals }: Readonly<{ db: Db; approvals: Pick<Approvals, "live"> }>,
  { job }: Readonly<{ job?: string | undefined }>,
): Promise<{ job: string; words: string }[]> {
  const active = await db.selectFrom("jobs").select("name").where("state", "=", "active").execute();
  const names = new Set(active.map(({ name }) => name));
  const signed = await createSignedManifests(db)(await approvals.live());
  return [...signed]
    .filter(([name]) => names.has(name) && (job === undefined || job === name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, manifest]) =>
      manifest === "newer" ? [] : triggersInWords(manifest.triggers).map((words) => ({ job: name, words })),
    );
}
