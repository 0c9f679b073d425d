import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Paths of the files below a folder, with slashes, sorted; without what `leaveOut` names. None where there is no such folder. */
export async function walkFiles(folder: string, leaveOut: (name: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  async function walk(below: string): Promise<void> {
    const entries = await readdir(join(folder, below), { withFileTypes: true }).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (leaveOut(entry.name)) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(join(folder, path))))) found.push(path);
    }
  }
  await walk("");
  return found;
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
}
