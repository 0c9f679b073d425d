import { UserError } from "../errors.ts";
import { checkJob } from "../jobs/check-job.ts";
import type { Diagnostic } from "../jobs/diagnostic.ts";
import { requireJobName } from "../jobs/job-name.ts";
import type { JobsDeps } from "../jobs/jobs-deps.ts";
import { readSubmission } from "../jobs/submit-job.ts";
import type { RunEvent } from "../runs/triggers/run-event.ts";
import type { Mock } from "./mocks.ts";
import { readRehearsedVersion } from "./read-version.ts";
import type { RehearsalReport } from "./rehearsal-report.ts";
import type { RehearsedVersion } from "./rehearse.ts";

export type JobRehearsal = Readonly<{
  name: string;
  /** A stored version, the newest where neither it nor code is given. */
  version?: number | undefined;
  /** Code that is rehearsed without being stored; as in a submission. */
  source?: string | undefined;
  files?: ReadonlyMap<string, string> | undefined;
  input?: unknown;
  event?: RunEvent | undefined;
  mocks?: readonly Mock[] | undefined;
  run?: string | undefined;
  signal?: AbortSignal | undefined;
}>;

export type JobRehearsalResult = Readonly<
  | { outcome: "rejected"; diagnostics: readonly Diagnostic[] }
  | { outcome: "rehearsed"; version: number | null; report: RehearsalReport; warnings: readonly Diagnostic[] }
>;

/**
 * Rehearses a stored version, or code that is not stored and stays so. Throws `job_not_found`, `version_not_found`, `invalid_name`,
 * `input_invalid`, `run_not_found`, `invalid_argument`.
 */
export async function rehearseJob(deps: JobsDeps, wanted: JobRehearsal): Promise<JobRehearsalResult> {
  const { rehearse } = deps;
  if (rehearse === undefined) throw new UserError("unsupported", "Nothing can be rehearsed here.");
  const { name, input, event, mocks, run, signal } = wanted;
  const request = { input, event, mocks, run, signal };
  if (wanted.source === undefined && wanted.files === undefined) {
    const version = await readRehearsedVersion(deps.store.db, name, wanted.version);
    return {
      outcome: "rehearsed",
      version: version.version,
      report: await rehearse({ version, ...request }),
      warnings: [],
    };
  }
  if (wanted.version !== undefined) {
    throw new UserError("invalid_argument", "Give either version (a stored one) or code (source or files), not both.");
  }
  const checked = await checkCode(deps, wanted);
  if (!checked.ok) return { outcome: "rejected", diagnostics: checked.diagnostics };
  const report = await rehearse({ version: checked.version, ...request });
  return { outcome: "rehearsed", version: null, report, warnings: checked.warnings };
}

type CheckedCode = Readonly<
  | { ok: true; version: RehearsedVersion; warnings: readonly Diagnostic[] }
  | { ok: false; diagnostics: readonly Diagnostic[] }
>;

async function checkCode(deps: JobsDeps, { name, source, files }: JobRehearsal): Promise<CheckedCode> {
  requireJobName(name);
  const given = readSubmission({ name, source, files });
  if ("diagnostics" in given) return { ok: false, diagnostics: given.diagnostics };
  const checked = await checkJob(deps, { folder: deps.config.jobsFolder, ...given });
  if (!checked.ok) return checked;
  const { job, manifest } = checked;
  const { bundle, bundleHash, sourceMap } = job;
  return {
    ok: true,
    version: { job: name, version: 0, bundle, bundleHash, sourceMap, manifest },
    warnings: job.warnings,
  };
}
