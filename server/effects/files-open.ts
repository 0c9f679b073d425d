import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { EffectContext } from "./define-effect.ts";
import { asPathError, noFolder, unsafePath } from "./path-error.ts";
import { type PathAccess, requirePathGrant } from "./path-grant.ts";
import { createInsideCheck } from "./path-inside.ts";
import { type PinnedPath, pinPath } from "./path-pin.ts";

type Within = Pick<EffectContext, "manifest" | "services">;

/** An entry of a folder that is held fast, so that the folder's own path may change meanwhile. */
export type HeldEntry = Readonly<{
  folder: PinnedPath;
  /** Leads to the entry of that very folder. */
  at: string;
}>;

/**
 * Lets `use` have the file or folder that the path leads to, links resolved and held fast, once it is sure to be granted.
 * Throws `permission_denied`, `file_not_found`, `file_unsafe`.
 */
export async function withTarget<T>(
  context: Within,
  path: string,
  use: (target: PinnedPath) => Promise<T>,
): Promise<T> {
  const full = requirePathGrant(context.manifest, "read", path);
  try {
    const check = await createInsideCheck(context, "read", path);
    const real = await realpath(full);
    // Asked before as well, so that nothing outside is even looked at where nobody races.
    check(real);
    await using target = await pinPath(real);
    check(target.real);
    return await use(target);
  } catch (thrown) {
    throw asPathError(thrown, path);
  }
}

/**
 * Lets `use` have the entry of that path, its folder's links resolved and the folder held fast, once it is sure to be granted.
 * A link in the last part is left to `use`. Throws `permission_denied`, `file_not_found`, `file_unsafe`.
 */
export async function withEntry<T>(
  context: Within,
  access: PathAccess,
  path: string,
  use: (entry: HeldEntry) => Promise<T>,
): Promise<T> {
  const full = requirePathGrant(context.manifest, access, path);
  const name = basename(full);
  if (name === "") throw unsafePath(path, "is no plain file");
  try {
    const check = await createInsideCheck(context, access, path);
    const real = await requireFolder(dirname(full));
    check(join(real, name));
    await using folder = await pinPath(real);
    check(join(folder.real, name));
    if (!folder.stats.isDirectory()) throw noFolder(dirname(full));
    return await use({ folder, at: join(folder.at, name) });
  } catch (thrown) {
    throw asPathError(thrown, path);
  }
}

async function requireFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (thrown) {
    if (isMissing(thrown)) throw noFolder(folder);
    throw thrown;
  }
}

/** Whether the system says that nothing lies there. */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR");
}
