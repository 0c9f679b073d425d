import { lstat, mkdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { isMissing } from "../../effects/files-open.ts";
import { unsafePath } from "../../effects/path-error.ts";

/** Makes the missing folders of a path below `root`, through no symbolic link. Throws `file_unsafe`. */
export async function makeFolders(root: string, folder: string): Promise<void> {
  let at = root;
  await mkdir(root, { recursive: true, mode: 0o700 });
  for (const part of relative(root, folder).split(sep)) {
    if (part === "") continue;
    at = join(at, part);
    const stats = await lstat(at).catch((thrown: unknown) => {
      if (!isMissing(thrown)) throw thrown;
      return undefined;
    });
    if (stats === undefined) await mkdir(at, { mode: 0o700 });
    else if (!stats.isDirectory()) throw unsafePath(at, "is no folder");
  }
}
