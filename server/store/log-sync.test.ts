import { expect, test } from "vitest";
import { type FileOperations, syncLogBeside } from "./log-sync.ts";

const log = { path: "/data/pg_wal/0001", nfd: 1 };
const table = { path: "/data/base/5/16384", nfd: 2 };

/** A file system and a disk that write down what is asked of them; a sync beside ends when it is told to. */
function recorded() {
  const done: string[] = [];
  const under: { fd: number; end(error?: Error): void }[] = [];
  const says =
    (what: string) =>
    (...values: unknown[]) => {
      const [stream] = values;
      done.push(typeof stream === "object" && stream !== null && "nfd" in stream ? `${what} ${stream.nfd}` : what);
    };
  const files: FileOperations = {
    stream_ops: { write: says("write"), close: says("close"), setattr: says("truncate"), fsync: says("real fsync") },
    node_ops: { rename: says("rename"), unlink: says("unlink"), rmdir: says("rmdir"), setattr: says("setattr") },
  };
  const logSync = syncLogBeside(files, "/data/pg_wal", {
    sync: (fd) => void done.push(`sync ${fd}`),
    syncBeside: (fd) =>
      new Promise((resolve, reject) => {
        under.push({
          fd,
          end(error) {
            done.push(`synced ${fd} beside`);
            if (error === undefined) resolve();
            else reject(error);
          },
        });
      }),
  });
  return { ...files, done, under, logSync };
}

/** Whether a promise has settled once all that can happen has. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

test("a commit waits for a sync that began after it, and those that come meanwhile share the next", async () => {
  const { stream_ops, logSync, under } = recorded();
  stream_ops.fsync(log);
  const first = logSync.onDisk();
  stream_ops.fsync(log);
  const second = logSync.onDisk();
  stream_ops.fsync(log);
  const third = logSync.onDisk();
  expect(under).toHaveLength(1);
  under[0]?.end();
  await first;
  expect(await isSettled(second)).toBe(false);
  expect(under).toHaveLength(2);
  under[1]?.end();
  await Promise.all([second, third]);
  expect(under).toHaveLength(2);
});

test("who has written nothing does not wait, also while a sync of others is under way", async () => {
  const { stream_ops, logSync, under } = recorded();
  await logSync.onDisk();
  expect(under).toHaveLength(0);
  stream_ops.fsync(log);
  const others = logSync.onDisk();
  await logSync.onDisk();
  under[0]?.end();
  await others;
});

test.each<[string, (files: FileOperations) => unknown]>([
  ["write 2", ({ stream_ops }) => stream_ops.write(table, "page")],
  ["truncate 2", ({ stream_ops }) => stream_ops.setattr(table, { size: 0 })],
  ["rename", ({ node_ops }) => node_ops.rename("old", "new")],
  ["unlink", ({ node_ops }) => node_ops.unlink("folder", "name")],
  ["rmdir", ({ node_ops }) => node_ops.rmdir("folder", "name")],
  ["setattr", ({ node_ops }) => node_ops.setattr("file", { size: 0 })],
])("nothing else changes on disk before the log is there: %s", async (what, change) => {
  const files = recorded();
  const { stream_ops, done, logSync } = files;
  stream_ops.fsync(log);
  change(files);
  expect(done).toEqual(["sync 1", what]);
  await logSync.onDisk();
  // A sync that is under way has not ended yet.
  done.length = 0;
  stream_ops.fsync(log);
  void logSync.onDisk();
  change(files);
  change(files);
  expect(done).toEqual(["sync 1", what, what]);
});

test("the log itself goes on being written", () => {
  const { stream_ops, done } = recorded();
  stream_ops.fsync(log);
  stream_ops.write(log, "record");
  expect(done).toEqual(["write 1"]);
});

test("a file of the log is synced before it is closed, also while a sync of it is under way, which then may fail", async () => {
  const { stream_ops, done, under, logSync } = recorded();
  stream_ops.fsync(log);
  stream_ops.close(log);
  expect(done).toEqual(["sync 1", "close 1"]);
  stream_ops.fsync(log);
  const waits = logSync.onDisk();
  done.length = 0;
  stream_ops.close(log);
  expect(done).toEqual(["sync 1", "close 1"]);
  under.at(-1)?.end(new Error("EBADF: bad file descriptor, fsync"));
  await waits;
  stream_ops.fsync(log);
});

test("another file is synced at once", async () => {
  const { stream_ops, done, logSync, under } = recorded();
  stream_ops.fsync(table);
  await logSync.onDisk();
  expect(done).toEqual(["sync 2"]);
  expect(under).toHaveLength(0);
});

test("where the disk refuses, whoever waits hears of it, and the database dies at its next sync", async () => {
  const { stream_ops, under, logSync, done } = recorded();
  stream_ops.fsync(log);
  const first = logSync.onDisk();
  stream_ops.fsync(log);
  const second = logSync.onDisk();
  under[0]?.end(new Error("EIO: i/o error, fsync"));
  await expect(first).rejects.toThrow("EIO");
  await expect(second).rejects.toThrow("EIO");
  expect(() => stream_ops.fsync(log)).toThrow("EIO");
  // The next sync could succeed although what the first has not written is gone.
  expect(() => stream_ops.write(table, "page")).toThrow("EIO");
  expect(done).not.toContain("write 2");
});
