import { z } from "zod";
import { filesRead } from "../../effects/files-read.ts";
import { UserError } from "../../errors.ts";
import { defineWorkspaceTool } from "./define-workspace-tool.ts";
import { performEffect } from "./perform-effect.ts";
import { workspacePath } from "./workspace-path.ts";

const result = z.object({ data: z.string(), bytes: z.number() });

export const fileRead = defineWorkspaceTool({
  name: "file_read",
  description: "Reads a text file, or a part of it by lines.",
  input: z.strictObject({
    path: z.string().min(1).max(4_096),
    from_line: z.int().min(1).default(1),
    lines: z.int().min(1).max(5_000).default(400),
  }),
  async perform(context, { path, from_line, lines }) {
    const { data } = await performEffect(context, filesRead, { path: workspacePath(context, path) }, result);
    const text = Buffer.from(data, "base64").toString("utf8");
    if (text.includes("\0")) throw new UserError("unsupported", `"${path}" is no text.`);
    const all = text.split("\n");
    const shown = all.slice(from_line - 1, from_line - 1 + lines);
    const more = all.length - (from_line - 1) - shown.length;
    return `${shown.join("\n")}${more > 0 ? `\n[${more} more lines; from_line ${from_line + shown.length} goes on]` : ""}`;
  },
});
