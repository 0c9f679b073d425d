import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Bundled, bundleJob } from "./bundle.ts";
import type { SourceFiles } from "./collect-sources.ts";

/** A fresh temporary folder; `files` holds the snapshot and nothing else. Disposing removes it. */
export type SnapshotFolder = Readonly<{ root: string; files: string; [Symbol.asyncDispose](): Promise<void> }>;

/** Writes a snapshot to a fresh temporary folder, so that nothing of the real folder is near when it is compiled. */
export async function openSnapshotFolder(files: SourceFiles): Promise<SnapshotFolder> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "jobrunner-compile-")));
  const folder = join(root, "files");
  const dispose = () => rm(root, { recursive: true, force: true, maxRetries: 3 });
  try {
    // Resolvers look upwards for the nearest package.json; it must never be one that stands in the temporary folder by chance.
    await writeFile(join(root, "package.json"), "{}");
    const dirs = new Set([...files.keys()].map((path) => dirname(join(folder, path))));
    for (const dir of dirs) await mkdir(dir, { recursive: true });
    await Promise.all([...files].map(([path, bytes]) => writeFile(join(folder, path), bytes, { flag: "wx" })));
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
  return { root, files: folder, [Symbol.asyncDispose]: dispose };
}

/** Bundles what a snapshot folder holds, and that alone. */
export function bundleSnapshot(
  { files: root }: SnapshotFolder,
  snapshot: SourceFiles,
  entry: string,
): Promise<Bundled> {
  const load = async (absolute: string) => {
    const path = absolute.slice(root.length + 1).replaceAll("\\", "/");
    const contents = snapshot.get(path);
    return contents === undefined
      ? { message: `${path} is not part of the version`, hint: "submit the job again" }
      : { contents };
  };
  return bundleJob({ root, entry, imports: { roots: [root], load } });
}
