import { lstat, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";

/** What files looked like: size and time of change, by path. */
export type FileMarks = ReadonlyMap<string, string>;

export type Scan = Readonly<{
  marks: FileMarks;
  /** Watched paths where nothing is. */
  absent: readonly string[];
}>;

/** More files than these are not watched for one job. */
export const mostFiles = 10_000;

/** More files lie in the watched folders than are watched. */
export class TooManyFilesError extends Error {}

/**
 * Looks at every plain file in the given files and folders. Links are not followed, and names that begin with a dot or end with `~`
 * do not count, as editors and syncing programs keep drafts there. Throws TooManyFilesError.
 */
export async function scanFiles(roots: readonly string[]): Promise<Scan> {
  const marks = new Map<string, string>();
  const absent: string[] = [];
  for (const root of roots) {
    const found = await stat(root).catch(() => undefined);
    if (found === undefined) absent.push(root);
    else if (found.isDirectory()) await scanFolder(root, marks);
    else if (found.isFile()) await mark(root, marks);
  }
  return { marks, absent };
}

/** Whether a file of that name counts. */
export function isWatchedName(path: string): boolean {
  const name = basename(path);
  return !name.startsWith(".") && !name.endsWith("~");
}

async function scanFolder(folder: string, marks: Map<string, string>): Promise<void> {
  // What cannot be read, or has gone meanwhile, has nothing to tell.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!isWatchedName(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await scanFolder(path, marks);
    else if (entry.isFile()) await mark(path, marks);
  }
}

async function mark(path: string, marks: Map<string, string>): Promise<void> {
  const stats = await lstat(path, { bigint: true }).catch(() => undefined);
  if (stats === undefined || !stats.isFile()) return;
  if (marks.size >= mostFiles) throw new TooManyFilesError(`more than ${mostFiles} files`);
  marks.set(path, `${stats.size} ${stats.mtimeNs}`);
}

/** When a file was changed, in milliseconds since the epoch, by its mark. */
export function changedMs(mark: string): number {
  return Number(BigInt(mark.split(" ")[1] ?? "0") / 1_000_000n);
}
