import { UserError } from "../errors.ts";
import { asMachineTrouble } from "../machine-trouble.ts";

/** What the system said about a path, as the job may see and catch it; anything else comes back as it is. */
export function asPathError(thrown: unknown, path: string): unknown {
  if (!(thrown instanceof Error) || !("code" in thrown)) return thrown;
  const cause = thrown;
  switch (thrown.code) {
    case "ENOENT":
      return new UserError("file_not_found", `There is no "${path}".`, { cause });
    case "ENOTDIR":
      return new UserError("file_not_found", `There is no "${path}": a part of it is no folder.`, { cause });
    case "EEXIST":
      return new UserError("file_exists", `"${path}" is there already.`, { cause });
    case "ELOOP":
    case "EISDIR":
    case "ENOTEMPTY":
    case "ENXIO":
    case "ENODEV":
      return unsafePath(path, "is no plain file");
    case "ENAMETOOLONG":
      return new UserError("invalid_argument", `"${path.slice(0, 100)}" is too long for a path.`, { cause });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new UserError("unsupported", `The user that JobRunner runs as may not do that with "${path}".`, { cause });
    default:
      return asMachineTrouble(thrown) ?? thrown;
  }
}

/** For what a grant names but nobody may touch, and for what leads out of it. */
export function unsafePath(path: string, why: string): UserError {
  return new UserError("file_unsafe", `"${path}" ${why}.`);
}

/** For a file whose folder is missing. */
export function noFolder(folder: string): UserError {
  return new UserError("file_not_found", `There is no folder "${folder}", and none is made by itself.`);
}
