import { UserError } from "../errors.ts";
import { raiseAlert, resolveAlert } from "../runs/alerts.ts";
import { pauseJob, resumeJob } from "./control.ts";
import { type Diagnostic, problem } from "./diagnostic.ts";
import { declaresJob, findEntries } from "./find-entries.ts";
import { folderName } from "./folder-name.ts";
import type { JobsDeps } from "./jobs-deps.ts";
import { activeVersion } from "./read.ts";
import { type SubmitResult, submitJob } from "./submit-job.ts";

/** The files that each job read when it was last compiled, so that a change of a helper finds the jobs that use it. */
export type Readers = Map<string, ReadonlySet<string>>;

type Folder = Readonly<{ folder: string; job: string; problems: Map<string, readonly Diagnostic[]>; readers: Readers }>;

const actor = "folder";

/** Brings one job of the store in step with its file: stored as a version, told as a problem, or paused because the file is gone. */
export async function syncJob(deps: JobsDeps, { folder, job, problems, readers }: Folder): Promise<void> {
  const known = await deps.store.db.selectFrom("jobs").selectAll().where("name", "=", job).executeTakeFirst();
  const entries = await findEntries(folder, job);
  const [entry] = entries;
  if (entry === undefined) {
    readers.delete(job);
    await tell(deps, job, problems, []);
    if (known !== undefined && known.path !== null && isOurs(deps, known.folder)) {
      await onDeleted(deps, job, known.path, known.state === "retired");
    }
    return;
  }
  if (known?.state === "retired") return tell(deps, job, problems, []);
  if (known === undefined && entries.length === 1 && !(await declaresJob(folder, entry)))
    return tell(deps, job, problems, []);
  const { diagnostics, result, files } = await submit(deps, job, entry);
  readers.set(job, new Set(files));
  await tell(deps, job, problems, diagnostics);
  if (result !== undefined && known?.paused_by === "file_deleted") await liftPause(deps, job, result.version);
}

type Outcome = Readonly<{
  diagnostics: readonly Diagnostic[];
  result?: Extract<SubmitResult, { version: number }>;
  files: readonly string[];
}>;

async function submit(deps: JobsDeps, name: string, entry: string): Promise<Outcome> {
  try {
    const result = await submitJob(deps, {
      name,
      entry,
      note: null,
      dryRun: false,
      proposedBy: actor,
      writeFolder: false,
    });
    switch (result.outcome) {
      case "rejected":
        return { diagnostics: result.diagnostics, files: [entry, ...result.diagnostics.map(({ file }) => file)] };
      case "dry_run":
        throw new Error("the folder asks for no dry run");
      case "created":
      case "unchanged":
        return { diagnostics: [], result, files: result.files };
      default:
        return result satisfies never;
    }
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    return { diagnostics: [problem(entry, thrown.message, thrown.next ?? null)], files: [entry] };
  }
}

/** A file that another machine's folder has is none that this one could miss. */
function isOurs({ config }: JobsDeps, folder: string | null): boolean {
  return folder === null || folder === folderName(config.jobsFolder);
}

async function onDeleted({ store, log }: JobsDeps, job: string, path: string, retired: boolean): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await trx.updateTable("jobs").set({ path: null }).where("name", "=", job).execute();
    if (!retired) await pauseJob(trx, { job, by: "file_deleted", reason: `its file ${path} was deleted`, actor });
  });
  log.info({ job, path }, "jobs folder: the file was deleted, so the job is paused");
}

/** Only what was approved comes back by itself; other content waits for the person first. */
async function liftPause(deps: JobsDeps, job: string, version: number): Promise<void> {
  if ((await activeVersion(deps, job)) !== version) return;
  await resumeJob(deps.store.db, { job, by: "file_deleted", actor });
}

async function tell(
  { store, clock, log }: JobsDeps,
  job: string,
  problems: Folder["problems"],
  diagnostics: readonly Diagnostic[],
): Promise<void> {
  const [first] = diagnostics.filter(({ severity }) => severity === "error");
  const key = `job:${job}:file`;
  if (first === undefined) {
    problems.delete(job);
    // Also one of before the last start.
    await resolveAlert(store.db, { key, now: clock() });
    return;
  }
  const before = JSON.stringify(problems.get(job));
  problems.set(job, diagnostics);
  if (before === JSON.stringify(diagnostics)) return;
  const message = `${first.file}:${first.line}:${first.column} ${first.message}`;
  log.warn({ job, problem: message }, "jobs folder: the file was not accepted; what is approved keeps running");
  await raiseAlert(store.db, { key, message: `The file of ${job} was not accepted: ${message}`, now: clock() });
}
