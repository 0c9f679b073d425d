import { randomBytes } from "node:crypto";
import { lstat, mkdir, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { UserError } from "../errors.ts";
import { type Diagnostic, problem } from "./diagnostic.ts";

/** Where a job stands in the folder twice, as `NAME.ts` and as `NAME/index.ts`; `entry` is the form that is meant. */
export async function findFormConflict(folder: string, entry: string): Promise<Diagnostic | undefined> {
  const name = entry.replace(/(\/index)?\.ts$/, "");
  const other = entry === `${name}.ts` ? `${name}/index.ts` : `${name}.ts`;
  if (!(await isThere(join(folder, other)))) return undefined;
  return problem(
    entry,
    `two files of one name: ${entry} and ${other} would both be the job "${name}"`,
    `submit it in the form of ${other}, or remove that file first`,
  );
}

/**
 * Writes the files of a job into the jobs folder: each whole or not at all, synced to disk, never through a symbolic link. Files that
 * have this content already are left alone. Throws `permission_denied` where a link is in the way and `disk_full`.
 */
export async function writeJobFiles(
  folder: string,
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const root = await realpath(folder);
    for (const [path, bytes] of files) await writeOne(root, path, bytes);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && (thrown.code === "ENOSPC" || thrown.code === "EDQUOT")) {
      throw new UserError("disk_full", `The disk is full: "${name}" was not stored.`, {
        next: "free some space, then submit again",
        cause: thrown,
      });
    }
    throw thrown;
  }
}

async function writeOne(root: string, path: string, bytes: Uint8Array): Promise<void> {
  const target = join(root, path);
  const dir = dirname(target);
  await mkdir(dir, { recursive: true });
  const link = (await realpath(dir)) !== dir || (await lstat(target).catch(() => undefined))?.isSymbolicLink() === true;
  if (link)
    throw new UserError(
      "permission_denied",
      `${relative(root, target)} is reached through a symbolic link, so it was not written.`,
      { next: "remove the link" },
    );
  const before = await readFile(target).catch(() => undefined);
  if (before !== undefined && Buffer.compare(before, bytes) === 0) return;
  // A name that the watch of the folder leaves alone.
  const temporary = join(dir, `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    (info) => info.isFile() || info.isSymbolicLink(),
    () => false,
  );
}
