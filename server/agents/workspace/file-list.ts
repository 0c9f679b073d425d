import { z } from "zod";
import { filesList } from "../../effects/files-list.ts";
import { defineWorkspaceTool } from "./define-workspace-tool.ts";
import { performEffect } from "./perform-effect.ts";
import { workspacePath } from "./workspace-path.ts";

export const listed = z.object({
  entries: z.array(z.object({ name: z.string(), type: z.enum(["file", "folder", "other"]), bytes: z.number() })),
});

export const fileList = defineWorkspaceTool({
  name: "file_list",
  description: "Lists a folder: names, kinds and sizes.",
  input: z.strictObject({ path: z.string().min(1).max(4_096).default(".") }),
  async perform(context, { path }) {
    const { entries } = await performEffect(context, filesList, { path: workspacePath(context, path) }, listed);
    if (entries.length === 0) return "The folder is empty.";
    return entries
      .map(({ name, type, bytes }) =>
        type === "file" ? `${name} (${bytes} bytes)` : `${name}${type === "folder" ? "/" : " (link or device)"}`,
      )
      .join("\n");
  },
});
