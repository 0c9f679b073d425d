import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { defineEffect } from "./define-effect.ts";
import { withTarget } from "./files-open.ts";
import { unsafePath } from "./path-error.ts";
import { pathArgument, requirePathGrant } from "./path-grant.ts";
import { openPinned } from "./path-pin.ts";

const chunkBytes = 256 * 1024;

/** `files.read`: a whole plain file of a granted folder. */
export const filesRead = defineEffect({
  op: "files.read",
  kind: "outside",
  args: z.strictObject({ path: pathArgument }),
  safe: () => true,
  allow: (manifest, { path }) => void requirePathGrant(manifest, "read", path),
  perform: (context, { path }) =>
    withTarget(context, path, async (target) => {
      if (!target.stats.isFile()) throw unsafePath(path, "is no plain file");
      const { responseBytes } = context.manifest.limits;
      const tooLong = () =>
        new UserError(
          "limit_exceeded",
          `"${path}" has more than ${responseBytes} bytes; limits.responseBytes in defineJob raises that.`,
        );
      if (target.stats.size > responseBytes) throw tooLong();
      await using file = await openPinned(target, constants.O_RDONLY);
      // Its time from before it is read: a change while it is read makes it newer than what the job got.
      const { mtimeMs } = await file.stat();
      const bytes = await readUpTo(file, responseBytes + 1, context.signal);
      if (bytes.length > responseBytes) throw tooLong();
      return { data: bytes.toString("base64"), bytes: bytes.length, modifiedMs: Math.floor(mtimeMs) };
    }),
});

/** The file's beginning; it may grow or shrink meanwhile, so its size is not relied on. */
async function readUpTo(file: FileHandle, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let total = 0; total < maxBytes; ) {
    signal.throwIfAborted();
    const wanted = Math.min(chunkBytes, maxBytes - total);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, total);
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  return Buffer.concat(chunks);
}
