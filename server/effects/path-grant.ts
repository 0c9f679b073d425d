import { homedir } from "node:os";
import { isAbsolute, join, resolve, sep } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { unsafePath } from "./path-error.ts";

/** Windows into processes and devices, whose files look plain, and hold the daemon's own environment and memory. */
const systemFolders = ["/proc", "/sys", "/dev"];

/** What a job wants to do with a path. */
export type PathAccess = "read" | "write";

/** A path as a job gives it. */
export const pathArgument = z
  .string()
  .min(1)
  .max(4_096)
  .refine((path) => path.isWellFormed() && !path.includes("\0"), "a path holds no NUL and no lone surrogate");

/** The path made absolute, with `~/` and `..` resolved by its text alone. Throws `invalid_argument`. */
export function resolvePath(path: string): string {
  if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1));
  if (isAbsolute(path)) return resolve(path);
  throw new UserError(
    "invalid_argument",
    `"${path.slice(0, 100)}" is no absolute path: begin with "/", or "~/" for the home folder.`,
  );
}

/** Whether a resolved path is that folder or file, or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

/** The resolved paths that the manifest grants for that; what may be written may be read too. */
export function grantedPaths({ permissions }: Manifest, access: PathAccess): string[] {
  const { read, write } = permissions.files;
  return (access === "read" ? [...read, ...write] : write).map(resolvePath);
}

/** Throws `file_unsafe` for a resolved or real path of the system itself, which no grant covers. */
export function refuseSystemPath(full: string, path: string): void {
  if (systemFolders.some((folder) => isWithin(full, folder))) throw unsafePath(path, "is part of the system itself");
}

/**
 * The resolved path, judged by its text alone. Throws `permission_denied` where no grant covers it, `file_unsafe`, and
 * `invalid_argument`.
 */
export function requirePathGrant(manifest: Manifest, access: PathAccess, path: string): string {
  const full = resolvePath(path);
  if (grantedPaths(manifest, access).some((grant) => isWithin(full, grant))) {
    refuseSystemPath(full, path);
    return full;
  }
  throw new UserError(
    "permission_denied",
    `This job may not ${access} "${path}": add the file or a folder above it to permissions.files.${access} in defineJob.`,
  );
}
