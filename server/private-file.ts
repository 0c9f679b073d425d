import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { messageOf, UserError } from "./errors.ts";

/** Replaces a file, so that after a crash, power loss or on a full disk it holds the old or the new text, whole. */
export function replaceFile(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.new`;
  try {
    const file = openSync(draft, "wx", mode);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") {
      throw new UserError("disk_full", `No room to write ${path}.`, { cause: error });
    }
    throw error;
  }
  syncFolder(dirname(path));
}

/** The text of a file, undefined where there is none. Throws `key_unsafe` where others may read or write it. */
export function readPrivateFile(path: string): string | undefined {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return undefined;
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new UserError(
      "key_unsafe",
      `Others can read or write ${path} (mode ${(mode & 0o777).toString(8)}), so it is not used.`,
      {
        next: `chmod 600 '${path}'`,
      },
    );
  }
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UserError("key_unsafe", `Cannot read ${path}: ${messageOf(cause)}.`, { cause });
  }
}

/** A rename lasts only once its folder is on disk. */
export function syncFolder(folder: string): void {
  // Windows cannot open folders.
  if (process.platform !== "win32") syncPath(folder);
}

/** What others have written into a folder, and the folder itself, is on disk afterwards. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) syncFolder(path);
    else syncPath(path);
  }
  syncFolder(folder);
}

function syncPath(path: string): void {
  // Windows syncs only what is open for writing.
  const handle = openSync(path, process.platform === "win32" ? "r+" : "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
