import { fsync, fsyncSync } from "node:fs";
import { promisify } from "node:util";

/** How files are synced to disk, by their descriptors. */
export type Disk = Readonly<{
  sync(fd: number): void;
  /** Without holding up this thread. */
  syncBeside(fd: number): Promise<void>;
}>;

export const realDisk: Disk = { sync: fsyncSync, syncBeside: promisify(fsync) };

type Stream = Readonly<{ path: string; nfd: number }>;
// biome-ignore lint/suspicious/noExplicitAny: each takes what Emscripten gives it, which is passed on.
type Operation = (...values: any[]) => unknown;

/** What Emscripten calls of its file system on disk, for all files of one database. */
export type FileOperations = Readonly<{
  stream_ops: Record<"write" | "close" | "setattr" | "fsync", Operation>;
  node_ops: Record<"rename" | "unlink" | "rmdir" | "setattr", Operation>;
}>;

export type LogSync = Readonly<{
  /**
   * Resolves once all is on disk that the database has asked to sync since the last call; at once where that is nothing. Rejects where
   * the disk refuses; the database then dies at its next sync.
   */
  onDisk(): Promise<void>;
}>;

/**
 * Syncs the write-ahead log beside the database, which goes on meanwhile: what commits while one sync is under way shares the next.
 * The database is told at once that its log is on disk, so whoever commits has to wait for `onDisk`. What it would do after a real
 * sync only, which is any change of another file, waits here for that sync.
 */
export function syncLogBeside({ stream_ops, node_ops }: FileOperations, logFolder: string, disk: Disk): LogSync {
  /** Files of the log with something that no sync covers yet, and those of which one is under way. */
  const waiting = new Set<number>();
  const underWay = new Set<number>();
  /** How many syncs were asked for, how many of them somebody waits for, and how many are done. */
  let asked = 0;
  let awaited = 0;
  let done = 0;
  let flight: Promise<void> | undefined;
  let failure: unknown;

  const isLog = ({ path }: Stream) => path.startsWith(`${logFolder}/`);

  /** What a failed sync has not written is not written by the next either, though that may succeed. */
  function sync(fd: number): void {
    if (failure !== undefined) throw failure;
    try {
      disk.sync(fd);
    } catch (error) {
      failure = error;
      throw error;
    }
  }

  function syncNow(): void {
    for (const fd of new Set([...waiting, ...underWay])) sync(fd);
    waiting.clear();
    done = asked;
  }

  async function fly(): Promise<void> {
    const upTo = asked;
    const files = [...waiting];
    waiting.clear();
    for (const fd of files) underWay.add(fd);
    await Promise.all(
      files.map((fd) =>
        disk.syncBeside(fd).catch((error: unknown) => {
          // One that was closed meanwhile was synced before.
          if (underWay.has(fd)) failure ??= error;
        }),
      ),
    );
    for (const fd of files) underWay.delete(fd);
    if (failure === undefined) done = Math.max(done, upTo);
  }

  /** Lets nothing else change on disk before the log is there. */
  function behindLog(operation: Operation): Operation {
    return (...values) => {
      if (done < asked) syncNow();
      return operation(...values);
    };
  }

  const { write, close } = stream_ops;
  const writeBehind = behindLog(write);
  Object.assign(stream_ops, {
    write: (stream: Stream, ...rest: unknown[]) => (isLog(stream) ? write : writeBehind)(stream, ...rest),
    setattr: behindLog(stream_ops.setattr),
    close(stream: Stream) {
      const { nfd } = stream;
      if (waiting.has(nfd) || underWay.has(nfd)) sync(nfd);
      waiting.delete(nfd);
      underWay.delete(nfd);
      return close(stream);
    },
    fsync(stream: Stream) {
      if (!isLog(stream)) sync(stream.nfd);
      else if (failure !== undefined) throw failure;
      else {
        waiting.add(stream.nfd);
        asked += 1;
      }
      return 0;
    },
  });
  for (const name of ["rename", "unlink", "rmdir", "setattr"] as const) node_ops[name] = behindLog(node_ops[name]);

  return {
    async onDisk() {
      if (awaited === asked) return;
      const upTo = asked;
      awaited = asked;
      while (done < upTo && failure === undefined) {
        flight ??= fly().finally(() => {
          flight = undefined;
        });
        await flight;
      }
      if (done < upTo) throw failure;
    },
  };
}
