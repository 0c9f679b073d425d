import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import type { EffectContext } from "./define-effect.ts";
import { unsafePath } from "./path-error.ts";
import { grantedPaths, isWithin, type PathAccess, refuseSystemPath } from "./path-grant.ts";

/**
 * Makes the check of real paths for one call. The check throws `file_unsafe` where a path leads out of what is granted, and
 * `permission_denied` for JobRunner's own home folder.
 */
export async function createInsideCheck(
  { manifest, services }: Pick<EffectContext, "manifest" | "services">,
  access: PathAccess,
  path: string,
): Promise<(real: string) => void> {
  const home = await realOf(services.homeFolder);
  const own = services.ownFolder === undefined ? undefined : await realOf(services.ownFolder);
  const found = await Promise.all(grantedPaths(manifest, access).map(realOf));
  const grants = found.filter((grant) => grant !== undefined);
  return (real) => {
    const isOwn = own !== undefined && isWithin(real, own);
    if (!isOwn && (isWithin(real, services.homeFolder) || (home !== undefined && isWithin(real, home)))) {
      throw new UserError(
        "permission_denied",
        `"${path}" is part of JobRunner's own home folder, of which no job gets anything.`,
      );
    }
    refuseSystemPath(real, path);
    if (!grants.some((grant) => isWithin(real, grant))) {
      throw unsafePath(path, `leads out of what permissions.files.${access} grants, through a symbolic link`);
    }
  };
}

/** Real path of a grant; one that is not there yet stands for itself in its real folder. */
async function realOf(grant: string): Promise<string | undefined> {
  try {
    return await realpath(grant);
  } catch {
    const folder = await realpath(dirname(grant)).catch(() => undefined);
    return folder === undefined ? undefined : join(folder, basename(grant));
  }
}
