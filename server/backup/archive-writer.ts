import { createHash } from "node:crypto";
import { once } from "node:events";
import { linkSync, renameSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { UserError } from "../errors.ts";
import { syncFolder } from "../private-file.ts";
import { type BackupPart, endName } from "./archive-format.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar.ts";

/** Puts parts into an archive, one after the other. */
export type ArchiveWriter = Readonly<{
  add(name: string, bytes: Buffer): Promise<void>;
  /** False where there is no such file (any more). */
  addFile(name: string, path: string): Promise<boolean>;
}>;

export type WrittenArchive = Readonly<{ parts: number; bytes: number }>;

/**
 * Makes an archive of what `fill` puts in. It has its name once it is whole and on disk; before that, and where anything fails, there is
 * nothing of that name. Only its owner may read it. Throws `file_exists`.
 */
export async function writeArchive(
  file: string,
  fill: (archive: ArchiveWriter) => Promise<void>,
  signal: AbortSignal,
): Promise<WrittenArchive> {
  const draft = `${file}.${process.pid}.new`;
  const handle = await open(draft, "wx", 0o600);
  try {
    const gzip = createGzip();
    const save = async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await handle.appendFile(chunk);
    };
    const written = pipeline(gzip, save, { signal });
    written.catch(() => {});
    const parts = await fillParts(async (bytes) => {
      // Where the disk is full or the person stopped, this is told here.
      if (gzip.destroyed) return written;
      if (!gzip.write(bytes)) await Promise.race([once(gzip, "drain"), written]);
    }, fill);
    gzip.end();
    await written;
    await handle.sync();
    const { size } = await handle.stat();
    place(draft, file);
    return { parts, bytes: size };
  } finally {
    await handle.close();
    rmSync(draft, { force: true });
  }
}

async function fillParts(
  write: (bytes: Buffer) => Promise<unknown>,
  fill: (archive: ArchiveWriter) => Promise<void>,
): Promise<number> {
  const parts: BackupPart[] = [];
  const add = async (name: string, size: number, content: AsyncIterable<Buffer> | Iterable<Buffer>) => {
    const hash = createHash("sha256");
    await write(tarHeader(name, size));
    for await (const chunk of content) {
      hash.update(chunk);
      await write(chunk);
    }
    await write(tarPadding(size));
    parts.push({ name, bytes: size, sha256: hash.digest("hex") });
  };
  await fill({
    add: (name, bytes) => add(name, bytes.length, [bytes]),
    async addFile(name, path) {
      const source = await open(path, "r").catch((error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      });
      if (source === undefined) return false;
      try {
        const { size } = await source.stat();
        await add(name, size, readExactly(source, path, size));
      } finally {
        await source.close();
      }
      return true;
    },
  });
  const bytes = Buffer.from(`${JSON.stringify({ parts })}\n`);
  await write(tarHeader(endName, bytes.length));
  await write(bytes);
  await write(tarPadding(bytes.length));
  await write(tarEnd);
  return parts.length;
}

/** What was there at the size that was told; what is written behind it meanwhile is left out. */
async function* readExactly(source: FileHandle, path: string, size: number): AsyncGenerator<Buffer> {
  for (let left = size; left > 0; ) {
    const { bytesRead, buffer } = await source.read({ buffer: Buffer.alloc(Math.min(left, 256 * 1024)) });
    if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Never over a file that came meanwhile. */
function place(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") throw fileExists(file);
    // A file system without links, such as FAT.
    renameSync(draft, file);
  }
  syncFolder(dirname(file));
}

/** The error of a backup that would go over a file. */
export function fileExists(file: string): UserError {
  return new UserError("file_exists", `${file} is there already.`, { next: "name another file" });
}
