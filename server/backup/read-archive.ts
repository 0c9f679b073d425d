import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { messageOf, UserError } from "../errors.ts";
import { type BackupPart, backupEnd, endName } from "./archive-format.ts";
import { readTar, type TarEntry, wholeEntry } from "./tar.ts";

const longestEnd = 256 * 1024 * 1024;

/**
 * Hands each part of an archive to `onPart`, which must read it to its end, and gives their list. What came is what was written, hash by
 * hash; only once this returns is that known of all parts. With `known`, each part must be what was read the time before. Throws
 * `backup_damaged`, `file_not_found`, and what `onPart` throws as UserError.
 */
export async function readArchive(
  file: string,
  onPart: (part: TarEntry) => Promise<void>,
  known?: readonly BackupPart[],
): Promise<readonly BackupPart[]> {
  try {
    return await readParts(file, onPart, known);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new UserError("file_not_found", `There is no file ${file}.`);
    throw new UserError("backup_damaged", `${file} is not whole: ${messageOf(error)}. Nothing was changed.`, {
      next: "fetch it again from where it is kept, or make another",
      cause: error,
    });
  }
}

async function readParts(
  file: string,
  onPart: (part: TarEntry) => Promise<void>,
  known: readonly BackupPart[] | undefined,
): Promise<readonly BackupPart[]> {
  const bytes = new PassThrough();
  const unpacked = pipeline(createReadStream(file), createGunzip(), bytes);
  unpacked.catch((error: unknown) => bytes.destroy(error instanceof Error ? error : undefined));
  const found: BackupPart[] = [];
  let told: readonly BackupPart[] | undefined;
  try {
    for await (const part of readTar(bytes)) {
      if (told !== undefined) throw new Error("something follows its end");
      if (part.name === endName) {
        told = backupEnd.parse(JSON.parse((await wholeEntry(part, longestEnd)).toString())).parts;
        continue;
      }
      const hash = createHash("sha256");
      await onPart({ ...part, content: hashed(part.content, hash) });
      const read = { name: part.name, bytes: part.size, sha256: hash.digest("hex") };
      if (known !== undefined) requireSame(known[found.length], read);
      found.push(read);
    }
    await unpacked;
  } finally {
    bytes.destroy();
  }
  if (told === undefined || told.length !== found.length) throw new Error("parts are missing");
  for (const [index, part] of told.entries()) requireSame(part, found[index]);
  return found;
}

function requireSame(told: BackupPart | undefined, read: BackupPart | undefined): void {
  if (told?.name !== read?.name || told?.bytes !== read?.bytes || told?.sha256 !== read?.sha256)
    throw new Error(`${read?.name ?? told?.name} is not what was written`);
}

async function* hashed(
  content: AsyncIterable<Buffer>,
  hash: { update(chunk: Buffer): unknown },
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}
