import { lstat, unlink } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { defineEffect } from "./define-effect.ts";
import { withEntry } from "./files-open.ts";
import { syncFolder } from "./files-replace.ts";
import { unsafePath } from "./path-error.ts";
import { pathArgument, requirePathGrant } from "./path-grant.ts";

/** `files.delete`: whether there was a plain file to delete; folders, links and devices stay. */
export const filesDelete = defineEffect({
  op: "files.delete",
  kind: "outside",
  args: z.strictObject({ path: pathArgument }),
  safe: () => true,
  allow: (manifest, { path }) => void requirePathGrant(manifest, "write", path),
  async perform(context, { path }) {
    try {
      await withEntry(context, "write", path, async ({ at, folder }) => {
        if (!(await lstat(at)).isFile()) throw unsafePath(path, "is no plain file");
        await folder.requireSame();
        await unlink(at);
        await syncFolder(folder.at);
      });
      return { deleted: true };
    } catch (thrown) {
      if (thrown instanceof UserError && thrown.code === "file_not_found") return { deleted: false };
      throw thrown;
    }
  },
});
