import { canonicalJson } from "../canonical-json.ts";
import { UserError } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import { compilerName } from "./bundle.ts";
import { checkPolicy } from "./check-policy.ts";
import { checkTypes } from "./check-types.ts";
import { collectSources, type SourceFiles } from "./collect-sources.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { listPackages, type UsedPackage } from "./package-files.ts";
import { bundleSnapshot, openSnapshotFolder, type SnapshotFolder } from "./snapshot-folder.ts";

export type CompiledJob = Readonly<{
  entry: string;
  files: SourceFiles;
  /** JSON of the entry and, by path, hash and size of each file; `sourceHash` is its hash. */
  snapshot: string;
  sourceHash: string;
  bundle: string;
  bundleHash: string;
  sourceMap: string;
  packages: readonly UsedPackage[];
  compiler: string;
  warnings: readonly Diagnostic[];
}>;

export type CompileResult<T = unknown> = Readonly<
  { ok: true; job: CompiledJob; extra: T } | { ok: false; diagnostics: readonly Diagnostic[] }
>;

export type CompileRequest = Readonly<{
  /** The jobs folder; where there is none, no package can be imported. */
  folder?: string | null | undefined;
  /** Entry relative to the jobs folder. */
  entry: string;
  /** Files that stand in for those of the folder, or are not there yet; by path relative to the jobs folder. */
  files?: SourceFiles | undefined;
}>;

/**
 * Takes a snapshot of everything that the job reads, bundles it from the snapshot alone, type-checks it and checks it by
 * policy. `meanwhile` gets the bundle while types are still being checked; what it returns comes back as `extra`.
 */
export async function compileJob<T>(
  request: CompileRequest,
  meanwhile?: (bundle: BundleText) => Promise<T>,
): Promise<CompileResult<T | undefined>> {
  const { folder, entry, files } = request;
  await using overlay = files === undefined ? undefined : await openSnapshotFolder(files);
  const roots = [...(overlay === undefined ? [] : [overlay.files]), ...(typeof folder !== "string" ? [] : [folder])];
  const collected = await collectSources(roots, entry);
  if (!collected.ok) return { ok: false, diagnostics: inOrder(collected.diagnostics) };
  const policy = checkPolicy(collected.files);
  // The type checker would follow a reference comment out of the snapshot, so it must not even start.
  if (policy.some(({ severity }) => severity === "error")) return { ok: false, diagnostics: inOrder(policy) };
  await using place = await openSnapshotFolder(collected.files);
  const [made, types] = await Promise.all([
    bundleAnd(place, collected.files, entry, meanwhile),
    checkTypes(place, entry),
  ]);
  const diagnostics = inOrder([...(made.ok ? made.warnings : made.diagnostics), ...policy, ...types]);
  if (!made.ok || diagnostics.some(({ severity }) => severity === "error")) return { ok: false, diagnostics };
  const snapshot = snapshotText(entry, collected.files);
  return {
    ok: true,
    extra: made.extra,
    job: {
      entry,
      files: collected.files,
      snapshot,
      sourceHash: sha256(snapshot),
      bundle: made.bundle,
      bundleHash: sha256(made.bundle),
      sourceMap: made.sourceMap,
      packages: listPackages(collected.files),
      compiler: compilerName,
      warnings: diagnostics,
    },
  };
}

export type BundleText = Readonly<{ bundle: string; bundleHash: string; sourceMap: string }>;

/** Makes a version's bundle again from its snapshot. Throws `compile_failed` where that is not possible. */
export async function rebuildBundle(files: SourceFiles, entry: string): Promise<BundleText> {
  await using place = await openSnapshotFolder(files);
  const made = await bundleSnapshot(place, files, entry);
  if (!made.ok)
    throw new UserError(
      "compile_failed",
      `The source of ${entry} does not bundle: ${made.diagnostics[0]?.message ?? "no reason given"}.`,
    );
  return { bundle: made.bundle, bundleHash: sha256(made.bundle), sourceMap: made.sourceMap };
}

async function bundleAnd<T>(
  place: SnapshotFolder,
  files: SourceFiles,
  entry: string,
  meanwhile: ((bundle: BundleText) => Promise<T>) | undefined,
) {
  const made = await bundleSnapshot(place, files, entry);
  if (!made.ok) return made;
  const { bundle, sourceMap } = made;
  return { ...made, extra: await meanwhile?.({ bundle, bundleHash: sha256(bundle), sourceMap }) };
}

/** The list of a snapshot's files as it is stored and hashed. */
function snapshotText(entry: string, files: SourceFiles): string {
  const listed = [...files].map(([path, bytes]) => [path, { hash: sha256(bytes), bytes: bytes.byteLength }]);
  return canonicalJson({ entry, files: Object.fromEntries(listed) });
}

/** Errors first, then by place; one for each place and message. */
function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const unique = new Map(diagnostics.map((each) => [`${each.file}:${each.line}:${each.message}`, each]));
  return [...unique.values()].sort(
    (a, b) =>
      rank(a) - rank(b) || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}

function rank({ severity }: Diagnostic): number {
  return severity === "error" ? 0 : 1;
}
