import { z } from "zod";
import { UserError } from "../errors.ts";
import { defineEffect } from "./define-effect.ts";
import { fileFacts } from "./files-entry.ts";
import { withTarget } from "./files-open.ts";
import { pathArgument, requirePathGrant } from "./path-grant.ts";

/** `files.stat`: what lies at a path, links resolved; null where there is nothing. */
export const filesStat = defineEffect({
  op: "files.stat",
  kind: "outside",
  args: z.strictObject({ path: pathArgument }),
  safe: () => true,
  allow: (manifest, { path }) => void requirePathGrant(manifest, "read", path),
  async perform(context, { path }) {
    try {
      return await withTarget(context, path, async ({ stats }) => fileFacts(stats));
    } catch (thrown) {
      if (thrown instanceof UserError && thrown.code === "file_not_found") return null;
      throw thrown;
    }
  },
});
