import type { Stats } from "node:fs";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath } from "node:fs/promises";
import type { UserError } from "../errors.ts";
import { unsafePath } from "./path-error.ts";

const linux = process.platform === "linux";
/** Linux's O_PATH, which Node does not name: a handle on what lies there, without opening it, so that no device or pipe wakes up. */
const pathOnly = 0o10000000;

/** A file or folder held fast: renaming or replacing what leads to it does not change what it is. */
export type PinnedPath = AsyncDisposable &
  Readonly<{
    /** Its real path, asked after it was held. */
    real: string;
    /** The path that leads to this very file or folder, or as near to it as the system can. */
    at: string;
    stats: Stats;
    /** Throws `file_unsafe` where something else lies there by now, on systems where `at` cannot be relied on. */
    requireSame(): Promise<void>;
  }>;

/** Holds what lies at a path without symbolic links. Rejects with the system's error where there is nothing. */
export async function pinPath(path: string): Promise<PinnedPath> {
  if (!linux) {
    const stats = await lstat(path);
    const real = await realpath(path);
    const requireSame = async () => {
      const now = await lstat(path).catch(() => undefined);
      if (!isSame(stats, now) || (await realpath(path)) !== real) throw replaced(path);
    };
    return { real, at: path, stats, requireSame, async [Symbol.asyncDispose]() {} };
  }
  const handle = await open(path, pathOnly | constants.O_NOFOLLOW);
  try {
    const at = `/proc/self/fd/${handle.fd}`;
    const stats = await handle.stat();
    const real = await readlink(at);
    return {
      // What was replaced meanwhile is still what it was.
      real: stats.nlink === 0 ? real.replace(/ \(deleted\)$/, "") : real,
      at,
      stats,
      async requireSame() {},
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Opens what was pinned, without waiting for whatever it is. Throws `file_unsafe` where something else lies there by now. */
export async function openPinned(pinned: PinnedPath, flags: number): Promise<FileHandle> {
  // On Linux `at` is itself a link, to exactly what was pinned.
  const handle = await open(pinned.at, flags | constants.O_NONBLOCK | (linux ? 0 : constants.O_NOFOLLOW));
  try {
    if (!isSame(pinned.stats, await handle.stat())) throw replaced(pinned.real);
    await pinned.requireSame();
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function isSame(before: Stats, now: Stats | undefined): boolean {
  return now?.ino === before.ino && now.dev === before.dev;
}

function replaced(path: string): UserError {
  return unsafePath(path, "was replaced while it was opened");
}
