import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import type { Diagnostic } from "../jobs/diagnostic.ts";
import { visibleLine } from "../review/visible-text.ts";

/** The text of a job's file, or of every TypeScript and JSON file of its folder. Throws `invalid_argument`. */
export async function readJob(path: string): Promise<{ source: string } | { files: Record<string, string> }> {
  try {
    if (!(await lstat(path)).isDirectory()) return { source: await readFile(path, "utf8") };
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files: Record<string, string> = {};
    for (const entry of entries) {
      const relative = join(entry.parentPath, entry.name)
        .slice(path.length + 1)
        .replaceAll("\\", "/");
      const wanted =
        entry.isFile() && /\.(ts|js|mjs|json)$/.test(entry.name) && !/(^|\/)(node_modules\/|\.)/.test(relative);
      if (wanted) files[relative] = await readFile(join(path, relative), "utf8");
    }
    return { files };
  } catch (cause) {
    throw new UserError("invalid_argument", `Cannot read ${path}: ${messageOf(cause)}.`, { cause });
  }
}

/** A finding of the checks, as compilers write it. */
export function diagnosticText({ file, line, column, message, hint, severity }: Diagnostic): string {
  const text = `${visibleLine(file)}:${line}:${column} ${severity}: ${visibleLine(message)}`;
  return hint === null ? text : `${text}\n  hint: ${visibleLine(hint)}`;
}
