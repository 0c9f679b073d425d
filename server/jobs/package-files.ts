import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { z } from "zod";
import { nativeRefusal, type Refusal } from "./refused-import.ts";
import { formatBytes, sourceLimits } from "./source-limits.ts";

/** An npm package inside a version; `bytes` is what of it is in the snapshot. */
export type UsedPackage = Readonly<{ name: string; version: string; bytes: number }>;

const packageJson = z.looseObject({ version: z.string().default("unknown"), gypfile: z.unknown().optional() });

/** `node_modules/a` or `node_modules/a/node_modules/@s/b` of a path inside a package; undefined for the author's own files. */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

/**
 * Adds to a snapshot what resolving and type-checking the packages in it reads: every package.json on the way to a file,
 * and all type declarations. Native packages and too many bytes are refused.
 */
export async function addPackageFiles(
  roots: readonly string[],
  files: Map<string, Uint8Array>,
): Promise<Refusal | undefined> {
  const folders = new Set<string>();
  const manifests = new Set<string>();
  for (const path of files.keys()) {
    const folder = packageFolder(path);
    if (folder === undefined) continue;
    folders.add(folder);
    for (let dir = posix.dirname(path); dir.length >= folder.length; dir = posix.dirname(dir))
      manifests.add(`${dir}/package.json`);
  }
  for (const path of manifests) await addFile(roots, files, path);
  for (const folder of folders) {
    const parsed = packageJson.safeParse(readJson(files.get(`${folder}/package.json`)));
    const native = (parsed.success && parsed.data.gypfile === true) || (await exists(roots, `${folder}/binding.gyp`));
    if (native) return nativeRefusal(packageName(folder));
    for (const path of await declarationsIn(roots, folder)) await addFile(roots, files, path);
    const typesFolder = `node_modules/@types/${packageName(folder).replace(/^@/, "").replace("/", "__")}`;
    for (const path of await declarationsIn(roots, typesFolder)) await addFile(roots, files, path);
    await addFile(roots, files, `${typesFolder}/package.json`);
  }
  const bytes = [...files].reduce(
    (sum, [path, content]) => sum + (packageFolder(path) === undefined ? 0 : content.byteLength),
    0,
  );
  if (bytes > sourceLimits.packages || files.size > sourceLimits.files) {
    return {
      message: `the imported packages have ${formatBytes(bytes)} in ${files.size} files, with their type declarations`,
      hint: `at most ${formatBytes(sourceLimits.packages)} and ${sourceLimits.files} files; write the few lines that are needed instead`,
    };
  }
  return undefined;
}

/** The packages in a snapshot, by name. */
export function listPackages(files: ReadonlyMap<string, Uint8Array>): UsedPackage[] {
  const sizes = new Map<string, number>();
  for (const [path, content] of files) {
    const folder = packageFolder(path);
    if (folder !== undefined) sizes.set(folder, (sizes.get(folder) ?? 0) + content.byteLength);
  }
  return [...sizes]
    .map(([folder, bytes]) => {
      const parsed = packageJson.safeParse(readJson(files.get(`${folder}/package.json`)));
      return { name: packageName(folder), version: parsed.success ? parsed.data.version : "unknown", bytes };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

function packageName(folder: string): string {
  return folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
}

async function declarationsIn(roots: readonly string[], folder: string): Promise<string[]> {
  for (const root of roots) {
    const names = await readdir(`${root}/${folder}`, { recursive: true, withFileTypes: true }).catch(() => []);
    const found = names
      .filter((entry) => entry.isFile() && /\.d\.[mc]?ts$/.test(entry.name))
      .map((entry) => posix.join(entry.parentPath.replaceAll("\\", "/"), entry.name).slice(root.length + 1))
      .filter((path) => !path.slice(folder.length).includes("/node_modules/"));
    if (names.length > 0) return found.sort();
  }
  return [];
}

async function addFile(roots: readonly string[], files: Map<string, Uint8Array>, path: string): Promise<void> {
  if (files.has(path)) return;
  for (const root of roots) {
    const absolute = join(root, path);
    const plain = await realpath(absolute).catch(() => undefined);
    if (plain === undefined) continue;
    // A symbolic link could lead anywhere; without this file the package may not resolve, and that is told.
    if (plain === absolute) files.set(path, await readFile(absolute));
    return;
  }
}

async function exists(roots: readonly string[], path: string): Promise<boolean> {
  const found = await Promise.all(
    roots.map((root) =>
      stat(`${root}/${path}`).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

function readJson(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(bytes ?? []).toString("utf8"));
  } catch {
    return undefined;
  }
}
