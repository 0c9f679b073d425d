import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** A file that lines are appended to at once. `write` never throws: what could not be written is counted. */
export type RotatingFile = Disposable & Readonly<{ write(line: string): void; lost(): number }>;

/** Opens `path` for appending; past `maxBytes` it becomes `path.1`, the one before `path.2`, and so on up to `files`. */
export function openRotatingFile({
  path,
  maxBytes,
  files,
}: {
  path: string;
  maxBytes: number;
  files: number;
}): RotatingFile {
  let fd: number | undefined;
  let size = 0;
  let lost = 0;
  let torn = false;

  const open = () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const opened = openSync(path, "a", 0o600);
    size = fstatSync(opened).size;
    fd = opened;
    return opened;
  };
  const close = () => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  const rotate = () => {
    close();
    rmSync(`${path}.${files}`, { force: true });
    for (let n = files - 1; n >= 0; n--) {
      try {
        renameSync(n === 0 ? path : `${path}.${n}`, `${path}.${n + 1}`);
      } catch {
        // There is no file of that number yet.
      }
    }
    if (files === 0) rmSync(path, { force: true });
  };
  const append = (text: string) => {
    const bytes = Buffer.from(text);
    if (fd !== undefined && size > 0 && size + bytes.length > maxBytes) rotate();
    const written = writeSync(fd ?? open(), bytes);
    size += written;
    // A disk that fills up in mid-line takes the first part only.
    torn = written < bytes.length;
    if (torn) throw new Error("the line was cut");
  };

  return {
    write(line) {
      try {
        const told = lost;
        const note = told === 0 ? "" : lostNote(told);
        append(`${torn ? "\n" : ""}${note}${line}`);
        lost -= told;
      } catch {
        lost++;
      }
    },
    lost: () => lost,
    [Symbol.dispose]: close,
  };
}

function lostNote(lines: number): string {
  return `${JSON.stringify({ level: "warn", time: new Date().toISOString(), msg: "log lines were lost, the disk was full", lines })}\n`;
}
