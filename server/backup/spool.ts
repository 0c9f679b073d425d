import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

/**
 * Hands on what `produce` writes, through a file in `folder`: the producer never waits for whoever reads, such as a slow connection, and
 * nothing piles up in memory. What the producer throws is thrown here once everything before it was read.
 */
export async function* spool(
  folder: string,
  produce: (write: (bytes: Buffer) => Promise<void>) => Promise<void>,
): AsyncGenerator<Buffer> {
  const path = join(folder, `spool-${randomBytes(6).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  try {
    let length = 0;
    let ended = false;
    let more = Promise.withResolvers<void>();
    const ring = () => {
      more.resolve();
      more = Promise.withResolvers();
    };
    const produced = produce(async (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, length);
        at += bytesWritten;
        length += bytesWritten;
      }
      ring();
    }).finally(() => {
      ended = true;
      ring();
    });
    produced.catch(() => {});
    try {
      for (let at = 0; ; ) {
        const change = more.promise;
        if (at < length) {
          const wanted = Math.min(256 * 1024, length - at);
          const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(wanted), position: at });
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        } else if (ended) break;
        else await change;
      }
    } finally {
      // Whoever stops reading leaves the producer to end by itself: it must not find its file closed.
      await produced.catch(() => {});
    }
    await produced;
  } finally {
    await file.close();
    rmSync(path, { force: true });
  }
}
