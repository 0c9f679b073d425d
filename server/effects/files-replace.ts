import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

export type Draft = Readonly<{
  /** Folder that holds both. */
  folder: string;
  /** Name that nothing else has; what an earlier try left there goes. */
  draft: string;
  bytes: Uint8Array;
  /** Mode bits that it gets; undefined for what the system gives a new file. */
  mode: number | undefined;
}>;

/** Writes the draft and makes it last; then `place` puts it where it belongs. A draft that is not placed goes away. */
export async function placeDraft(
  { folder, draft, bytes, mode }: Draft,
  place: (draft: string) => Promise<void>,
): Promise<void> {
  const path = join(folder, draft);
  await rm(path, { force: true });
  try {
    {
      // Exclusive, so that it never writes through a link that someone put there.
      await using file = await open(path, "wx", mode === undefined ? 0o666 : 0o600);
      await file.writeFile(bytes);
      if (mode !== undefined) await file.chmod(mode);
      await file.sync();
    }
    await place(path);
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    throw error;
  }
}

/** Renames over what is there, and makes that last too. */
export async function renameSurely(from: string, folder: string, name: string): Promise<void> {
  await rename(from, join(folder, name));
  await syncFolder(folder);
}

/** A new name lasts only once its folder is on disk, as far as the file system can be asked for that. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, "r");
    await handle.sync();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && unsyncable.includes(String(error.code)))) throw error;
  }
}

/** Folders that may be changed but not read, file systems that cannot sync them, and Windows, which cannot open them. */
const unsyncable = ["EACCES", "EPERM", "EISDIR", "EINVAL", "ENOTSUP"];
