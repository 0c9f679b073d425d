import { readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { bundleJob } from "./bundle.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { problem } from "./diagnostic.ts";
import { inPackage, isWithin } from "./import-plugin.ts";
import { addPackageFiles } from "./package-files.ts";
import type { Refusal } from "./refused-import.ts";
import { formatBytes, sourceLimits } from "./source-limits.ts";
import { typeImports } from "./type-imports.ts";

/** Bytes by path relative to the jobs folder, always with `/`. */
export type SourceFiles = ReadonlyMap<string, Uint8Array>;

export type Collected = Readonly<{ ok: true; files: SourceFiles } | { ok: false; diagnostics: Diagnostic[] }>;

/**
 * Finds and reads every file that compiling a job needs: what it imports, the imported packages with their package.json and
 * type declarations. `roots` are folders that overlay each other, the first wins. This is the only look at the real folder.
 */
export async function collectSources(roots: readonly string[], entry: string): Promise<Collected> {
  // Before the first job there may be no jobs folder yet.
  const found = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)));
  const real = found.filter((root) => root !== undefined);
  const [first] = real;
  if (first === undefined) throw new Error("there must be a folder to compile in");
  const files = new Map<string, Uint8Array>();
  const sizes = { job: 0, packages: 0 };
  /** Lines that were added behind the last one of a file, and the lines that they stand for. */
  const added = new Map<string, { after: number; lines: number[] }>();
  const pathOf = (absolute: string) => {
    const root = real.find((each) => isWithin(each, absolute)) ?? first;
    return relative(root, absolute).split(sep).join("/");
  };

  async function load(absolute: string): Promise<Readonly<{ contents: string | Uint8Array } | Refusal>> {
    const path = pathOf(absolute);
    const info = await stat(absolute);
    const refused = countIn(sizes, path, info.size) ?? (files.size >= sourceLimits.files ? tooMany : undefined);
    if (refused !== undefined) return refused;
    const bytes = await readFile(absolute);
    files.set(path, bytes);
    if (inPackage(path) || !/\.[mc]?ts$/.test(path)) return { contents: bytes };
    const text = bytes.toString("utf8");
    const named = typeImports(text);
    added.set(path, { after: text.split("\n").length, lines: named.map(({ line }) => line) });
    // What is imported for its types alone leaves no trace in a bundle, yet the checker needs it.
    return { contents: [text, ...named.map(({ specifier }) => `import ${JSON.stringify(specifier)};`)].join("\n") };
  }

  const refused = await findEntryProblem(first, entry);
  if (refused !== undefined) return { ok: false, diagnostics: [problem(entry, refused.message, refused.hint)] };
  const bundled = await bundleJob({ root: first, entry, imports: { roots: real, load } });
  if (!bundled.ok)
    return {
      ok: false,
      diagnostics: bundled.diagnostics.map((each) => withinRoots(each, { root: first, entry, pathOf, added })),
    };
  const trouble = await addPackageFiles(real, files);
  if (trouble !== undefined) return { ok: false, diagnostics: [problem(entry, trouble.message, trouble.hint)] };
  return { ok: true, files };
}

/** The folder's own checks are made on resolving imports; the entry has no importer, so it is checked here. */
async function findEntryProblem(root: string, entry: string): Promise<Refusal | undefined> {
  const path = resolve(root, entry);
  const plain = await realpath(path).catch(() => undefined);
  if (plain === undefined) return { message: "the file does not exist", hint: "a job is NAME.ts or NAME/index.ts" };
  if (plain === path) return undefined;
  return { message: "the file is reached through a symbolic link", hint: "put a plain file into the jobs folder" };
}

const tooMany: Refusal = {
  message: `a job may have at most ${sourceLimits.files} files, packages included`,
  hint: "import fewer or smaller packages",
};

function countIn(sizes: { job: number; packages: number }, path: string, size: number): Refusal | undefined {
  const kind = inPackage(path) ? "packages" : "job";
  sizes[kind] += size;
  if (kind === "job" && size > sourceLimits.file) {
    return {
      message: `${path} has ${formatBytes(size)}; a source file may have at most ${formatBytes(sourceLimits.file)}`,
      hint: "fetch large data at run time, or split the file",
    };
  }
  if (sizes[kind] <= sourceLimits[kind]) return undefined;
  const what = kind === "job" ? "the files of the job" : "the imported packages";
  return {
    message: `${what} have more than ${formatBytes(sourceLimits[kind])} in all`,
    hint: "keep the job small, and data outside of it",
  };
}

type Places = Readonly<{
  root: string;
  entry: string;
  pathOf(absolute: string): string;
  added: ReadonlyMap<string, { after: number; lines: number[] }>;
}>;

function withinRoots(diagnostic: Diagnostic, { root, entry, pathOf, added }: Places): Diagnostic {
  // The entry itself is imported by nothing, so what is wrong with it has no place.
  if (diagnostic.file === "") return { ...diagnostic, file: entry };
  const file = pathOf(isAbsolute(diagnostic.file) ? diagnostic.file : resolve(root, diagnostic.file));
  const extra = added.get(file);
  const line = extra?.lines[diagnostic.line - extra.after - 1];
  return line === undefined ? { ...diagnostic, file } : { ...diagnostic, file, line, column: 1 };
}
