import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { formatBytes } from "../jobs/source-limits.ts";

/** How large the files of definitions may be, in bytes and files. */
export const definitionLimits = { file: 256 * 1024, skill: 1024 * 1024, skillFiles: 100, depth: 5 } as const;

/** A file's text; why it is not read; or undefined where there is none. */
export type ReadText = Readonly<{ text: string } | { problem: string } | { binary: true }> | undefined;

/** Reads a plain text file, with `\n` alone at the ends of its lines, so that a clone on Windows has the hashes of all others. */
export async function readTextFile(path: string): Promise<ReadText> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (thrown: unknown) => codeOf(thrown),
  );
  if (handle === "ENOENT" || handle === "ENOTDIR") return undefined;
  if (handle === "ELOOP") return { problem: "it is a symbolic link: put a plain file there" };
  if (typeof handle === "string") return { problem: `it cannot be read (${handle})` };
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return { problem: "it is no plain file" };
    if (stats.size > definitionLimits.file) {
      return { problem: `it has ${formatBytes(stats.size)}; at most ${formatBytes(definitionLimits.file)} are read` };
    }
    const bytes = await handle.readFile();
    if (bytes.includes(0)) return { binary: true };
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes).replaceAll("\r\n", "\n") };
  } catch (thrown) {
    return thrown instanceof TypeError ? { binary: true } : { problem: `it cannot be read (${codeOf(thrown)})` };
  } finally {
    await handle.close();
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown error";
}
