import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, rm } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import { defineEffect, type EffectContext } from "./define-effect.ts";
import { requireSendable } from "./files-bytes.ts";
import { type HeldEntry, isMissing, withEntry } from "./files-open.ts";
import { placeDraft, renameSurely, syncFolder } from "./files-replace.ts";
import { unsafePath } from "./path-error.ts";
import { pathArgument, requirePathGrant } from "./path-grant.ts";

const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** `files.write`: the whole file at once, or its end, or a new one; never through a symbolic link. */
export const filesWrite = defineEffect({
  op: "files.write",
  kind: "outside",
  args: z.strictObject({ path: pathArgument, data: z.string(), mode: z.enum(["replace", "append", "create"]) }),
  safe: ({ mode }) => mode === "replace",
  allow: (manifest, { path }) => void requirePathGrant(manifest, "write", path),
  async perform(context, { path, data, mode }) {
    const bytes = requireSendable(context.manifest, data, path);
    await withEntry(context, "write", path, async (entry) => {
      switch (mode) {
        case "replace":
          return replace(context, entry, path, bytes);
        case "append":
          return append(entry, path, bytes);
        case "create":
          return create(entry, bytes);
        default:
          return mode satisfies never;
      }
    });
    return { bytes: bytes.length };
  },
});

async function replace(context: EffectContext, entry: HeldEntry, path: string, bytes: Buffer): Promise<void> {
  const before = await findPlainFile(entry.at, path);
  const folder = entry.folder.at;
  // The same name when it is repeated after a crash, so that no half a draft stays behind.
  const draft = `.jobrunner-${context.seed.slice(0, 16)}-${context.seq}.new`;
  await placeDraft({ folder, draft, bytes, mode: before && before.mode & 0o777 }, async (from) => {
    await entry.folder.requireSame();
    await renameSurely(from, folder, basename(entry.at));
  });
}

async function append({ at, folder }: HeldEntry, path: string, bytes: Buffer): Promise<void> {
  const before = await findPlainFile(at, path);
  await using file = await open(at, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666);
  const stats = await file.stat();
  if (!stats.isFile()) throw unsafePath(path, "is no plain file");
  if (stats.nlink > 1) throw unsafePath(path, "has another name elsewhere (a hard link), which would change too");
  await folder.requireSame();
  await writeSurely(file, bytes);
  if (before === undefined) await syncFolder(folder.at);
}

async function create({ at, folder }: HeldEntry, bytes: Buffer): Promise<void> {
  await using file = await open(at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
  try {
    await folder.requireSame();
    await writeSurely(file, bytes);
    await syncFolder(folder.at);
  } catch (error) {
    await rm(at, { force: true }).catch(() => {});
    throw error;
  }
}

async function writeSurely(file: FileHandle, bytes: Buffer): Promise<void> {
  await file.appendFile(bytes);
  await file.sync();
}

/** What is there already; undefined for nothing. Throws `file_unsafe` for a link and for whatever is no plain file. */
async function findPlainFile(at: string, path: string): Promise<Stats | undefined> {
  try {
    const stats = await lstat(at);
    if (stats.isSymbolicLink()) throw unsafePath(path, "is a symbolic link, through which nothing is written");
    if (!stats.isFile()) throw unsafePath(path, "is no plain file");
    return stats;
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}
