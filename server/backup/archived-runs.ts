import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { formatRunId } from "../runs/run-id.ts";
import { readArchive } from "./read-archive.ts";
import { type ArchivedList, archivedList, listName, parseArchiveFileName } from "./run-archive-format.ts";
import { wholeEntry } from "./tar.ts";

export type ArchivedRun = ArchivedList[number] & Readonly<{ file: string }>;

/** Of a list, or of what is on record of one run. */
const largestPart = 512 * 1024 * 1024;

type ArchiveFile = Readonly<{ path: string; first: number; last: number; at: string }>;

/** The files of an archive folder, those written last first. */
async function archiveFiles(folder: string): Promise<ArchiveFile[]> {
  const months = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files: ArchiveFile[] = [];
  for (const month of months.filter((entry) => entry.isDirectory())) {
    for (const name of await readdir(join(folder, month.name))) {
      const parsed = parseArchiveFileName(name);
      if (parsed !== undefined) files.push({ path: join(folder, month.name, name), ...parsed });
    }
  }
  return files.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : b.last - a.last));
}

/** Runs in the archive, the latest files first, each once. Throws `backup_damaged` where a file is not what was written. */
export async function listArchivedRuns(
  folder: string,
  { job, limit }: Readonly<{ job?: string | undefined; limit: number }>,
): Promise<ArchivedRun[]> {
  const found = new Map<number, ArchivedRun>();
  for (const { path } of await archiveFiles(folder)) {
    if (found.size >= limit) break;
    const list = archivedList.parse(JSON.parse(await readPart(path, listName)));
    for (const run of list.reverse()) {
      if (found.size < limit && !found.has(run.id) && (job === undefined || run.job === job))
        found.set(run.id, { ...run, file: path });
    }
  }
  return [...found.values()];
}

/** JSON of all that was on record of a run, and the file that holds it with its artifacts; undefined where it is not archived. */
export async function readArchivedRun(
  folder: string,
  id: number,
): Promise<{ record: unknown; file: string } | undefined> {
  for (const { path, first, last } of await archiveFiles(folder)) {
    if (id < first || id > last) continue;
    const text = await readPart(path, `${formatRunId(id)}.json`).catch((error: unknown) => {
      if (error instanceof UserError && error.code === "file_not_found") return undefined;
      throw error;
    });
    if (text !== undefined) return { record: JSON.parse(text), file: path };
  }
  return undefined;
}

/** The text of one part; the whole file is read, so that what comes back is what was written. Throws `file_not_found`. */
async function readPart(file: string, name: string): Promise<string> {
  let text: string | undefined;
  await readArchive(file, async (part) => {
    if (part.name === name) text = (await wholeEntry(part, largestPart)).toString();
    else for await (const _ of part.content);
  });
  if (text === undefined) throw new UserError("file_not_found", `${file} holds no ${name}.`);
  return text;
}
