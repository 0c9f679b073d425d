/**
 * Cuts a byte stream into lines of at most `maxBytes`. A longer line is dropped as it arrives, never kept in memory, and
 * told once. Empty lines are skipped. Returns the function to feed with chunks.
 */
export function splitLines(options: {
  maxBytes: number;
  onLine: (line: string) => void;
  onTooLong: () => void;
}): (chunk: Uint8Array) => void {
  const { maxBytes, onLine, onTooLong } = options;
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let dropping = false;

  const add = (piece: Uint8Array) => {
    if (dropping) return;
    bytes += piece.byteLength;
    if (bytes > maxBytes) {
      dropping = true;
      parts = [];
      onTooLong();
      return;
    }
    parts.push(piece);
  };

  return (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, at));
      const line = dropping ? "" : Buffer.concat(parts).toString("utf8").trim();
      parts = [];
      bytes = 0;
      dropping = false;
      from = at + 1;
      if (line !== "") onLine(line);
    }
    if (from < chunk.byteLength) add(chunk.subarray(from));
  };
}
