import { existsSync, renameSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { syncFolder, syncTree } from "../private-file.ts";
import { compileWasmOnce } from "./compile-wasm-once.ts";
import { type Disk, type FileOperations, type LogSync, realDisk, syncLogBeside } from "./log-sync.ts";

/** The part of Emscripten's file system that makes fsync reach the disk: what PGlite leaves out. */
const fileSystem = z.object({
  lookupPath: z.custom<(path: string) => { node: FileOperations }>((value) => typeof value === "function"),
});

const logSyncs = new WeakMap<PGlite, LogSync>();

/** What syncs the log of a database that `openPglite` has opened; undefined of any other. */
export function logSyncOf(pglite: PGlite): LogSync | undefined {
  return logSyncs.get(pglite);
}

/** The default of 128 MB is memory of our process, and takes most of the time to open; the operating system caches the files anyway. */
const buffers = ["-c", "shared_buffers=16MB"];
const startParams = [
  // `-F` turns fsync off. Of the methods to sync the log, Emscripten passes only fsync on; fdatasync does nothing there.
  ...PGlite.defaultStartParams.filter((param) => param !== "-F"),
  ...["-c", "wal_sync_method=fsync"],
  ...buffers,
];

/**
 * Opens (or makes) an embedded database of which nothing is written before the log that tells of it is on disk; a commit is there once
 * `logSyncOf` says so. Nothing locks the folder: the caller holds the daemon's lock. Tests give a `disk` of their own.
 */
export async function openPglite(dataDir: string, disk: Disk = realDisk): Promise<PGlite> {
  compileWasmOnce();
  // Made beside and renamed, so that a kill in the middle of the first start leaves no half database behind.
  if (!existsSync(join(dataDir, "PG_VERSION"))) {
    const unfinished = `${dataDir}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    const fresh = await PGlite.create({
      dataDir: unfinished,
      startParams,
      initDbStartParams: [...buffers, "--no-sync"],
    });
    await fresh.close();
    syncTree(unfinished);
    renameSync(unfinished, dataDir);
    syncFolder(dirname(dataDir));
  }
  const pglite = await PGlite.create({ dataDir, startParams });
  const { node } = fileSystem.parse(pglite.Module.FS).lookupPath(PGlite.paths.PGDATA);
  logSyncs.set(pglite, syncLogBeside(node, `${PGlite.paths.PGDATA}/pg_wal`, disk));
  return pglite;
}

/** What a start after a crash writes at most before it answers: a segment of the log, and what is replayed. */
const roomToOpen = 32 * 1024 * 1024;

/**
 * Opens a database again that has died in this process. Throws `disk_full` where that would only kill it again: each try takes memory
 * that comes back with the process's end alone.
 */
export async function reopenPglite(dataDir: string): Promise<PGlite> {
  const { bavail, bsize } = await statfs(dataDir);
  if (bavail * bsize < roomToOpen) {
    throw new UserError(
      "disk_full",
      `The disk is full (${dataDir}), so the embedded store is closed. Nothing that was accepted is lost.`,
      {
        next: "make room (40 MB at least); it opens by itself then",
      },
    );
  }
  return openPglite(dataDir);
}
