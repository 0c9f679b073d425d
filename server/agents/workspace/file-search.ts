import { join } from "node:path";
import { z } from "zod";
import { filesList } from "../../effects/files-list.ts";
import { filesRead } from "../../effects/files-read.ts";
import { UserError } from "../../errors.ts";
import { defineWorkspaceTool, type WorkspaceContext } from "./define-workspace-tool.ts";
import { listed } from "./file-list.ts";
import { performEffect } from "./perform-effect.ts";
import { workspacePath } from "./workspace-path.ts";

const mostFiles = 2_000;
const mostBytes = 32 * 1024 * 1024;
const largestFile = 1024 * 1024;
const mostHits = 100;
const shownLine = 200;
/** Folders of packages and of version control, which nobody means. */
const passedOver = new Set(["node_modules", ".git", ".venv", "__pycache__", "dist"]);

const content = z.object({ data: z.string() });

export const fileSearch = defineWorkspaceTool({
  name: "file_search",
  description: "Finds lines that contain a text (no pattern; case does not count) in the files below a folder.",
  input: z.strictObject({
    text: z.string().min(1).max(500),
    path: z.string().min(1).max(4_096).default("."),
    ending: z.string().max(20).describe("only files whose names end so, such as .ts").optional(),
  }),
  async perform(context, { text, path, ending = "" }) {
    const wanted = text.toLowerCase();
    const hits: string[] = [];
    let files = 0;
    let bytes = 0;
    for await (const file of walk(context, workspacePath(context, path))) {
      if (!file.path.endsWith(ending) || file.bytes > largestFile) continue;
      files += 1;
      bytes += file.bytes;
      if (files > mostFiles || bytes > mostBytes) {
        hits.push(`[stopped after ${files - 1} files: give a deeper path, or an ending]`);
        break;
      }
      const found = await performEffect(context, filesRead, { path: file.path }, content);
      const lines = Buffer.from(found.data, "base64").toString("utf8").split("\n");
      for (const [i, line] of lines.entries()) {
        if (line.toLowerCase().includes(wanted)) hits.push(`${file.path}:${i + 1}: ${line.trim().slice(0, shownLine)}`);
      }
      if (hits.length >= mostHits) break;
    }
    if (hits.length === 0) return `Nothing found in ${files} files.`;
    return hits.slice(0, mostHits).join("\n");
  },
});

async function* walk(context: WorkspaceContext, folder: string): AsyncGenerator<{ path: string; bytes: number }> {
  const { entries } = await performEffect(context, filesList, { path: folder }, listed);
  for (const { name, type, bytes } of entries) {
    context.signal.throwIfAborted();
    const path = join(folder, name);
    if (type === "file") yield { path, bytes };
    if (type !== "folder" || passedOver.has(name)) continue;
    try {
      yield* walk(context, path);
    } catch (thrown) {
      // One folder that may not be read, or that has gone, ends no search.
      if (!(thrown instanceof UserError)) throw thrown;
    }
  }
}
