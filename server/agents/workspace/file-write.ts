import { dirname } from "node:path";
import { z } from "zod";
import { filesWrite } from "../../effects/files-write.ts";
import { isWithin, requirePathGrant, resolvePath } from "../../effects/path-grant.ts";
import { defineWorkspaceTool } from "./define-workspace-tool.ts";
import { makeFolders } from "./make-folders.ts";
import { performEffect } from "./perform-effect.ts";
import { workspacePath } from "./workspace-path.ts";

export const fileWrite = defineWorkspaceTool({
  name: "file_write",
  description: "Writes a whole text file, or adds to its end.",
  input: z.strictObject({
    path: z.string().min(1).max(4_096),
    content: z.string().max(2_000_000),
    append: z.boolean().default(false),
  }),
  async perform(context, { path, content, append }) {
    const full = resolvePath(workspacePath(context, path));
    const { folder } = context;
    // Folders within its own are made as they are needed; elsewhere they are the person's.
    if (folder !== null && full !== folder && isWithin(full, folder)) {
      requirePathGrant(context.effects.manifest, "write", full);
      await makeFolders(folder, dirname(full));
    }
    const args = { path: full, data: Buffer.from(content).toString("base64"), mode: append ? "append" : "replace" };
    const { bytes } = await performEffect(context, filesWrite, args, z.object({ bytes: z.number() }));
    return `${bytes} bytes written to ${path}.`;
  },
});
