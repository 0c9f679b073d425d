import type { Readable } from "node:stream";

/**
 * Calls `onLine` with each line of UTF-8 text. A line of more than `maxBytes` is given as undefined, once, and ends the
 * reading, so a sender cannot fill our memory.
 */
export function readLines(stream: Readable, maxBytes: number, onLine: (line: string | undefined) => void): void {
  let parts: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const tail = chunk.subarray(from, end);
      const line = parts.length === 0 ? tail.toString("utf8") : Buffer.concat([...parts, tail]).toString("utf8");
      parts = [];
      size = 0;
      from = end + 1;
      onLine(line);
    }
    if (from === chunk.length) return;
    parts.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size <= maxBytes) return;
    stream.destroy();
    onLine(undefined);
  });
  // A runner that is killed while it writes cuts the pipe; its exit is what counts.
  stream.on("error", () => {});
}
