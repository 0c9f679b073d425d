import { realpath } from "node:fs/promises";
import { dirname, extname, relative, sep } from "node:path";
import type { Loader, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { findRefusedImport, missingImport, nativeRefusal, type Refusal } from "./refused-import.ts";

const loaders: Record<string, Loader> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".js": "js",
  ".mjs": "js",
  ".cjs": "js",
  ".json": "json",
  ".txt": "text",
  ".md": "text",
  ".csv": "text",
  ".xml": "text",
  ".html": "text",
  ".sql": "text",
};

/** Marks what this plugin itself asks esbuild to resolve. */
const own = Symbol("own");

export type ImportOptions = Readonly<{
  /** Real paths of folders that may be read; a relative import is looked for in the importer's place below each of them. */
  roots: readonly string[];
  /** Reads a file that becomes part of the bundle, or says why it must not. */
  load(path: string): Promise<Readonly<{ contents: string | Uint8Array } | Refusal>>;
}>;

/** Keeps every import of a job within its roots and within what a sandbox can run. Both passes of the compiler use it. */
export function importPlugin({ roots, load }: ImportOptions): Plugin {
  return {
    name: "job-imports",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
        if (pluginData === own || kind === "entry-point") return undefined;
        if (path === "jobrunner") return { path, external: true };
        const refused =
          findRefusedImport(path) ?? (kind === "require-call" && !inPackage(importer) ? requireRefusal : undefined);
        if (refused !== undefined) return failed(refused);
        const found = await find(build, { path, importer, kind, resolveDir }, roots);
        if (found === undefined) return failed(missingImport(path));
        const outside = await findEscape(found, path, roots);
        return outside === undefined ? { path: found } : failed(outside);
      });
      build.onLoad({ filter: /.*/ }, async ({ path }) => {
        const loader = loaders[extname(path)];
        if (loader === undefined) return failed(unknownKind(path));
        const loaded = await load(path);
        if ("message" in loaded) return failed(loaded);
        return { contents: loaded.contents, loader, resolveDir: dirname(path) };
      });
    },
  };
}

/** Whether a path lies in an installed package rather than in what the author wrote. */
export function inPackage(path: string): boolean {
  return path.split(/[\\/]/).includes("node_modules");
}

type Import = Readonly<{ path: string; importer: string; kind: "import-statement" | string; resolveDir: string }>;

async function find(
  build: PluginBuild,
  { path, importer, kind, resolveDir }: Import,
  roots: readonly string[],
): Promise<string | undefined> {
  for (const dir of placesOf(resolveDir, roots)) {
    const how = kind === "require-call" || kind === "dynamic-import" ? kind : "import-statement";
    const {
      path: found,
      errors,
      external,
    } = await build.resolve(path, { importer, kind: how, resolveDir: dir, pluginData: own });
    if (errors.length === 0 && found !== "" && !external) return found;
  }
  return undefined;
}

/** The folder itself, then the same folder below the other roots. */
function placesOf(resolveDir: string, roots: readonly string[]): string[] {
  const root = roots.find((each) => isWithin(each, resolveDir));
  if (root === undefined) return [resolveDir];
  const inner = relative(root, resolveDir);
  return [
    resolveDir,
    ...roots.filter((each) => each !== root).map((each) => (inner === "" ? each : `${each}${sep}${inner}`)),
  ];
}

export function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}

async function findEscape(found: string, specifier: string, roots: readonly string[]): Promise<Refusal | undefined> {
  const hint = "keep every file of the job in the jobs folder, as a plain file";
  if (!roots.some((root) => isWithin(root, found))) {
    return { message: `"${specifier}" leads out of the jobs folder`, hint };
  }
  // Symbolic links inside the folder are refused too: the snapshot holds plain files, so the path would lead nowhere in it.
  if ((await realpath(found)) !== found) return { message: `"${specifier}" is reached through a symbolic link`, hint };
  return undefined;
}

const requireRefusal: Refusal = {
  message: "require does not exist in a job",
  hint: 'use import, such as import { x } from "./x.ts"',
};

function unknownKind(path: string): Refusal {
  if (extname(path) === ".node") return nativeRefusal(path.split(sep).at(-1) ?? path);
  return {
    message: `files ending in "${extname(path)}" cannot be imported`,
    hint: `these can: ${Object.keys(loaders).join(" ")}`,
  };
}

function failed({ message, hint }: Refusal): OnResolveResult {
  return { errors: [{ text: message, notes: [{ text: hint }] }] };
}
