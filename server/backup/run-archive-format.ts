import { z } from "zod";

/*
 * What retention keeps of the runs that it deletes: a gzipped tar for each batch, YYYY-MM/R1-R500-TIME.tar.gz in the archive folder. It holds
 * runs.json, then for each run R12.json and its artifacts runs/R12/…, large arguments and results as content/HASH, and end.json.
 */

export const listName = "runs.json";

/** The first part: who is in it. */
export const archivedList = z.array(
  z.object({ id: z.int(), job: z.string(), state: z.string(), finished_at: z.coerce.date() }),
);
export type ArchivedList = z.infer<typeof archivedList>;

/** The name of a file with these runs; the time at which it was written tells files of the same runs apart. */
export function archiveFileName(first: number, last: number, at: Date): string {
  return `R${first}-R${last}-${at.toISOString().replace(/[-:.]/g, "")}.tar.gz`;
}

/** Which runs a file can hold, and its time as text that sorts; undefined for any other file. */
export function parseArchiveFileName(name: string): { first: number; last: number; at: string } | undefined {
  const [, first, last, at] = /^R(\d{1,15})-R(\d{1,15})-(\d{8}T\d{9}Z)\.tar\.gz$/.exec(name) ?? [];
  return at === undefined ? undefined : { first: Number(first), last: Number(last), at };
}
