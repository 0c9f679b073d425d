import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RehearsalReport } from "../rehearsal/rehearsal-report.ts";
import { findCircle } from "../runs/triggers/find-circle.ts";
import { checkJob } from "./check-job.ts";
import type { CompiledJob } from "./compile.ts";
import { type Diagnostic, problem } from "./diagnostic.ts";
import { folderName } from "./folder-name.ts";
import { requireJobName } from "./job-name.ts";
import type { JobsDeps } from "./jobs-deps.ts";
import type { Manifest } from "./manifest.ts";
import { activeVersion } from "./read.ts";
import { formatBytes, sourceLimits } from "./source-limits.ts";
import { keepRehearsal, lockJob, type StoredVersion, storeVersion } from "./store-version.ts";
import { findFormConflict, writeJobFiles } from "./write-job-files.ts";

export type { Diagnostic } from "./diagnostic.ts";

export type Submission = Readonly<{
  name: string;
  note: string | null;
  dryRun: boolean;
  /** Host name and version, or `folder`. */
  proposedBy: string;
  /** Whether `source` or `files` are written to the jobs folder once they passed. */
  writeFolder: boolean;
  traceId?: string | null | undefined;
  /** The text of `NAME.ts`. */
  source?: string | undefined;
  /** Texts of the files in the folder `NAME`, by path below it; `index.ts` is the entry. */
  files?: ReadonlyMap<string, string> | undefined;
  /** Entry of a job that stands in the folder already; instead of `source` and `files`. */
  entry?: string | undefined;
}>;

type Passed = Readonly<{
  manifest: Manifest;
  warnings: readonly Diagnostic[];
  /** Every file that compiling read, by path relative to the jobs folder. */
  files: readonly string[];
}>;

/** What the job would do, as far as that is known without mocks; null where it could not be rehearsed. */
type WithRehearsal = Readonly<{ rehearsal: RehearsalReport | null }>;

export type SubmitResult =
  | (Passed & WithRehearsal & Readonly<{ outcome: "created"; version: number }>)
  /** The content is there already; `rejectedNote` says why the person refused it, where `state` is `rejected`. */
  | (Passed & Readonly<{ outcome: "unchanged" }> & Pick<StoredVersion, "version" | "state" | "rejectedNote">)
  | (Passed & WithRehearsal & Readonly<{ outcome: "dry_run" }>)
  | Readonly<{ outcome: "rejected"; diagnostics: readonly Diagnostic[] }>;

/**
 * Checks a job and stores it as a version that waits for the person; what is approved keeps running. With `writeFolder` its files
 * are written to the jobs folder first, so that folder and store tell the same. Throws `invalid_name`, `job_retired`.
 */
export async function submitJob(deps: JobsDeps, submission: Submission): Promise<SubmitResult> {
  const { name, dryRun, writeFolder } = submission;
  requireJobName(name);
  const { jobsFolder } = deps.config;
  const given = readSubmission(submission);
  if ("diagnostics" in given) return { outcome: "rejected", diagnostics: given.diagnostics };
  const { entry, files } = given;
  const conflict = await findFormConflict(jobsFolder, entry);
  if (conflict !== undefined) return { outcome: "rejected", diagnostics: [conflict] };
  const checked = await checkJob(deps, { folder: jobsFolder, entry, files });
  if (!checked.ok) return { outcome: "rejected", diagnostics: checked.diagnostics };
  const { job, manifest, text, hash } = checked;
  const circle = await findCircle(deps.store.db, name, manifest.triggers);
  if (circle !== undefined) {
    const message = `triggers.after makes a circle, which would go round for ever: ${circle.join(" after ")}`;
    return {
      outcome: "rejected",
      diagnostics: [problem(entry, message, "let the last one be started by something else")],
    };
  }
  const passed = { manifest, warnings: job.warnings, files: [...job.files.keys()] };
  const rehearse = (number: number) => rehearsed(deps, { name, job, manifest, number });
  if (dryRun) return { outcome: "dry_run", ...passed, rehearsal: await rehearse(0) };
  const version = {
    name,
    folder: folderName(jobsFolder),
    job,
    manifest: { text, hash },
    runtime: deps.pool.guestRuntime,
    proposedBy: submission.proposedBy,
    note: submission.note,
    active: await activeVersion(deps, name),
    traceId: submission.traceId ?? randomUUID(),
    now: deps.clock(),
  };
  const stored = await deps.store.db.transaction().execute(async (trx) => {
    await lockJob(trx, name, job.entry, version.now);
    if (files === undefined && (await hasChanged(jobsFolder, job.files))) return undefined;
    const result = await storeVersion(trx, version);
    // Last, so that a full disk or a refused link takes the version back too.
    if (writeFolder && files !== undefined) await writeJobFiles(jobsFolder, name, files);
    return result;
  });
  // Saved or submitted again while it was compiled: what stands in the folder now is what counts.
  if (stored === undefined) return submitJob(deps, submission);
  if (stored.created) {
    const rehearsal = await rehearse(stored.version);
    if (rehearsal !== null) await keepRehearsal(deps.store.db, name, stored.version, rehearsal);
    return { outcome: "created", version: stored.version, ...passed, rehearsal };
  }
  return {
    outcome: "unchanged",
    version: stored.version,
    state: stored.state,
    rejectedNote: stored.rejectedNote,
    ...passed,
  };
}

type Rehearsable = Readonly<{ name: string; job: CompiledJob; manifest: Manifest; number: number }>;

/** The version is stored and stays so, whatever comes of rehearsing it. */
async function rehearsed(
  deps: JobsDeps,
  { name, job, manifest, number }: Rehearsable,
): Promise<RehearsalReport | null> {
  const { bundle, bundleHash, sourceMap } = job;
  const version = { job: name, version: number, bundle, bundleHash, sourceMap, manifest };
  try {
    return (await deps.rehearse?.({ version })) ?? null;
  } catch (thrown) {
    deps.log.error({ err: thrown, job: name }, "a version could not be rehearsed");
    return null;
  }
}

/** Whether a file of the job's own is not what it was when it was read. */
async function hasChanged(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<boolean> {
  for (const [path, bytes] of files) {
    if (path.split("/").includes("node_modules")) continue;
    const now = await readFile(join(folder, path)).catch(() => undefined);
    if (now === undefined || !now.equals(bytes)) return true;
  }
  return false;
}

type Given = Readonly<{ entry: string; files?: ReadonlyMap<string, Uint8Array> } | { diagnostics: Diagnostic[] }>;

const filePath = /^(?!.*(?:^|\/)\.)(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*\/){0,5}[A-Za-z0-9_-][A-Za-z0-9_.-]*$/;
const maxFiles = 50;

/** The entry and files that a submission gives, checked; nothing is read. */
export function readSubmission({
  name,
  source,
  files,
  entry: standing,
}: Pick<Submission, "name" | "source" | "files" | "entry">): Given {
  if (standing !== undefined) return { entry: standing };
  const texts =
    source === undefined
      ? [...(files ?? [])].map(([path, text]) => [`${name}/${path}`, text] as const)
      : [[`${name}.ts`, source] as const];
  const entry = source === undefined ? `${name}/index.ts` : `${name}.ts`;
  const bad = [...(files?.keys() ?? [])].find(
    (path) => !filePath.test(path) || path.split("/").includes("node_modules"),
  );
  const wrong = (message: string, hint: string, file = entry): Given => ({
    diagnostics: [problem(file, message, hint)],
  });
  if (bad !== undefined)
    return wrong(
      `${JSON.stringify(bad.slice(0, 80))} cannot name a file of a job`,
      "paths are relative to the job, such as index.ts or lib/parse.ts",
    );
  if (!texts.some(([path]) => path === entry))
    return wrong("the job has no index.ts", "the file index.ts is the entry and exports the job");
  if (texts.length > maxFiles)
    return wrong(`a job may have at most ${maxFiles} files of its own`, "put several helpers into one file");
  const large = texts.find(([, text]) => Buffer.byteLength(text) > sourceLimits.file);
  if (large !== undefined) {
    const [path, text] = large;
    return wrong(
      `${path} has ${formatBytes(Buffer.byteLength(text))}; a source file may have at most ${formatBytes(sourceLimits.file)}`,
      "fetch large data at run time, or split the file",
      path,
    );
  }
  return { entry, files: new Map(texts.map(([path, text]) => [path, Buffer.from(text)])) };
}
