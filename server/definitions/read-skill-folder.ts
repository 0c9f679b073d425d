import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes } from "../jobs/source-limits.ts";
import { definitionLimits, readTextFile } from "./read-text-file.ts";

export type SkillFolder = Readonly<
  { texts: ReadonlyMap<string, string>; leftOut: readonly string[] } | { problem: string; file: string }
>;

/**
 * Every text of a skill's folder by path, `SKILL.md` first; hidden files and installed packages are not part of it. Symbolic links are
 * refused, since they could bring in anything.
 */
export async function readSkillFolder(root: string): Promise<SkillFolder> {
  const texts = new Map<string, string>();
  const leftOut: string[] = [];
  let bytes = 0;

  async function walk(folder: string, depth: number): Promise<{ problem: string; file: string } | undefined> {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (/[\p{Cc}\p{Cf}\\]/u.test(path)) return { problem: "a file's name has a hidden character", file: folder };
      if (entry.isSymbolicLink()) return { problem: "it is a symbolic link: put the file itself there", file: path };
      if (entry.isDirectory()) {
        if (depth >= definitionLimits.depth) return { problem: "its folders are too deep", file: path };
        const wrong = await walk(path, depth + 1);
        if (wrong !== undefined) return wrong;
        continue;
      }
      const read = await readTextFile(join(root, path));
      if (read === undefined) continue;
      if ("problem" in read) return { problem: read.problem, file: path };
      if ("binary" in read) {
        leftOut.push(path);
        continue;
      }
      bytes += read.text.length;
      texts.set(path, read.text);
      if (bytes > definitionLimits.skill || texts.size > definitionLimits.skillFiles) {
        const most = `${definitionLimits.skillFiles} files and ${formatBytes(definitionLimits.skill)}`;
        return { problem: `a skill has at most ${most}`, file: "SKILL.md" };
      }
    }
    return undefined;
  }

  const wrong = await walk("", 1);
  if (wrong !== undefined) return wrong;
  const main = texts.get("SKILL.md");
  if (main === undefined) return { problem: "it has no SKILL.md", file: "SKILL.md" };
  texts.delete("SKILL.md");
  return { texts: new Map([["SKILL.md", main], ...texts]), leftOut };
}
