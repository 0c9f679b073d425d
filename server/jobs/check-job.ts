import { type CompiledJob, type CompileRequest, compileJob } from "./compile.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { type FrozenManifest, freezeManifest } from "./freeze-manifest.ts";
import type { JobsDeps } from "./jobs-deps.ts";
import type { Manifest } from "./manifest.ts";
import type { ManifestProblem } from "./manifest-problems.ts";

export type CheckedJob = Readonly<
  | { ok: true; job: CompiledJob; manifest: Manifest; text: string; hash: string }
  | { ok: false; diagnostics: readonly Diagnostic[] }
>;

type Deps = Pick<JobsDeps, "config" | "pool" | "clock">;

/** Everything that a job must pass before it is stored: compiled, type-checked, checked by policy, its declaration read in a runner and frozen. */
export async function checkJob({ config, pool, clock }: Deps, request: CompileRequest): Promise<CheckedJob> {
  const { timezone, locale } = config;
  const compiled = await compileJob(request, (bundle) => pool.declaration({ ...bundle, timezone, locale }));
  if (!compiled.ok) return compiled;
  const { job, extra: declaration } = compiled;
  if (declaration === undefined) throw new Error("the declaration is read whenever a job compiles");
  if (!declaration.ok) {
    const { message, name, file, line, column } = declaration.error;
    const known = file !== null && job.files.has(file);
    return {
      ok: false,
      diagnostics: [
        {
          file: known ? file : job.entry,
          line: known ? (line ?? 1) : 1,
          column: known ? (column ?? 1) : 1,
          message: `${name}: ${message} (while reading what the job declares, before any run)`,
          hint: "only declare at the top of the file; fetch, kv and the like work inside run()",
          severity: "error",
        },
      ],
    };
  }
  const frozen: FrozenManifest = freezeManifest(declaration.json, { timezone, locale, now: clock() });
  if (frozen.ok) return { ok: true, job, manifest: frozen.manifest, text: frozen.text, hash: frozen.hash };
  const source = Buffer.from(job.files.get(job.entry) ?? []).toString("utf8");
  return { ok: false, diagnostics: frozen.problems.map((each) => toDiagnostic(each, job.entry, source)) };
}

/** The declaration was evaluated, so its place in the source is a guess: the first line that has the key in question. */
function toDiagnostic({ path, message, hint }: ManifestProblem, file: string, source: string): Diagnostic {
  const lines = source.split("\n");
  for (const key of path
    .split(".")
    .reverse()
    .filter((part) => /^[A-Za-z_]\w*$/.test(part))) {
    const index = lines.findIndex((line) => new RegExp(`\\b${key}\\b["']?\\s*:`).test(line));
    const column = (lines[index]?.indexOf(key) ?? 0) + 1;
    if (index >= 0) return { file, line: index + 1, column, message, hint, severity: "error" };
  }
  const start = lines.findIndex((line) => line.includes("defineJob("));
  return { file, line: Math.max(1, start + 1), column: 1, message, hint, severity: "error" };
}
