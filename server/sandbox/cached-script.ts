import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../sha256.ts";

/** A name that changes whenever the text does, such as `guest-` with 32 hexadecimal digits. */
export function nameByContent(kind: string, text: string): string {
  return `${kind}-${sha256(text).slice("sha256:".length, "sha256:".length + 32)}`;
}

/** Writes a script of ours into the folder for such, whole at any moment, and gives its path. Other processes may do the same. */
export async function writeCachedScript(cacheDir: string, name: string, text: string): Promise<string> {
  const path = join(cacheDir, name);
  await mkdir(cacheDir, { recursive: true });
  // Under a name of its own first, so that another process never reads half a file.
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, path);
  return path;
}
