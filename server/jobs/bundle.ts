import { type BuildFailure, type BuildOptions, version as esbuildVersion, type Message } from "esbuild";
import { withEsbuild } from "../with-esbuild.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { type ImportOptions, importPlugin } from "./import-plugin.ts";

/** What a version's `compiler` says: who made the bundle, so that the same source gives the same bytes again. */
export const compilerName = `esbuild ${esbuildVersion}`;

export type Bundled = Readonly<
  { ok: true; bundle: string; sourceMap: string; warnings: Diagnostic[] } | { ok: false; diagnostics: Diagnostic[] }
>;

/**
 * Bundles a job below `root` (a real path) with the one set of options that there is; the form of the bundle is told in
 * `server/sandbox/types.ts`. No settings of the folder are read, and the output holds no path outside `root`.
 */
export async function bundleJob({
  root,
  entry,
  imports,
}: {
  root: string;
  entry: string;
  imports: ImportOptions;
}): Promise<Bundled> {
  try {
    const { outputFiles, warnings } = await withEsbuild(({ build }) =>
      build({ ...fixedOptions, absWorkingDir: root, entryPoints: [entry], plugins: [importPlugin(imports)] }),
    );
    const text = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? "";
    const found = warnings.map((message) => toDiagnostic(message, "warning"));
    const errors = found.filter(({ severity }) => severity === "error");
    if (errors.length > 0) return { ok: false, diagnostics: found };
    return { ok: true, bundle: text("out.js"), sourceMap: text("out.js.map"), warnings: found };
  } catch (thrown) {
    if (!isBuildFailure(thrown)) throw thrown;
    const all = [
      ...thrown.errors.map((message) => toDiagnostic(message, "error")),
      ...thrown.warnings.map((message) => toDiagnostic(message, "warning")),
    ];
    return { ok: false, diagnostics: all };
  }
}

const fixedOptions = {
  bundle: true,
  write: false,
  outfile: "out.js",
  format: "cjs",
  platform: "neutral",
  target: "node24",
  mainFields: ["module", "main"],
  conditions: ["worker", "browser"],
  resolveExtensions: [".ts", ".mts", ".js", ".mjs", ".cjs", ".json"],
  sourcemap: "external",
  sourcesContent: false,
  charset: "utf8",
  legalComments: "none",
  preserveSymlinks: true,
  treeShaking: true,
  logLevel: "silent",
  // Given here, so that esbuild looks for no tsconfig; unused imports stay, so that what they lead to is part of the snapshot.
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  logOverride: {
    "direct-eval": "warning",
    "unsupported-dynamic-import": "warning",
    "unsupported-require-call": "warning",
    "indirect-require": "warning",
  },
} as const satisfies BuildOptions & { write: false };

/** Findings of esbuild that are errors in what the author wrote; in packages they stay warnings, since the code may never run. */
const refusedKinds: Record<string, string> = {
  "direct-eval": "eval does not exist in the sandbox: signed code cannot make new code",
  "unsupported-dynamic-import": "import() needs a fixed string: a job holds all of its code",
  "unsupported-require-call": "require does not exist in a job; use import",
  "indirect-require": "require does not exist in a job; use import",
};

function toDiagnostic({ id, text, location, notes }: Message, severity: Diagnostic["severity"]): Diagnostic {
  const file = location?.file ?? "";
  const refused = file.includes("node_modules/") ? undefined : refusedKinds[id];
  const line = location?.lineText ?? "";
  return {
    file,
    line: Math.max(1, location?.line ?? 1),
    // esbuild counts bytes.
    column:
      Buffer.from(line)
        .subarray(0, location?.column ?? 0)
        .toString("utf8").length + 1,
    message: refused ?? text,
    hint: refused === undefined ? (notes[0]?.text ?? hintFor(text)) : null,
    severity: refused === undefined ? severity : "error",
  };
}

function hintFor(text: string): string | null {
  if (text.startsWith("Top-level await")) return "await inside run(), not beside it";
  return null;
}

function isBuildFailure(thrown: unknown): thrown is BuildFailure {
  return thrown instanceof Error && "errors" in thrown && Array.isArray(thrown.errors) && "warnings" in thrown;
}
