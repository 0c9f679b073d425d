import { realpath } from "node:fs/promises";
import { relative, sep } from "node:path";
import { watch } from "chokidar";
import { messageOf } from "../errors.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { writeEditorFiles } from "./editor-files.ts";
import { declaresJob, findBadName, listFolderJobs } from "./find-entries.ts";
import { jobOfEntry } from "./job-name.ts";
import type { JobsDeps } from "./jobs-deps.ts";
import { type Readers, syncJob } from "./sync-job.ts";

/** Files that failed their checks, by job (or by path, where the name is no job's). */
export type FolderProblems = ReadonlyMap<string, readonly Diagnostic[]>;

export type FolderWatch = AsyncDisposable &
  Readonly<{
    problems(): FolderProblems;
    /** Settles when everything that was seen so far is stored or told as a problem. */
    idle(): Promise<void>;
  }>;

/** How long a folder must be quiet before it is read: editors and git write several files, and some in pieces. */
const quietMs = 150;

/**
 * Keeps the store in step with the jobs folder: what is saved becomes a version that waits, what fails is told as a problem, a
 * deleted file pauses its job. Resolves when the folder was read once.
 */
export async function watchFolder(deps: JobsDeps): Promise<FolderWatch> {
  const { config, store, log, approvals } = deps;
  await writeEditorFiles(config.jobsFolder).catch((error: unknown) =>
    log.warn({ err: error }, "jobs folder: no files for editors"),
  );
  const folder = await realpath(config.jobsFolder);
  const problems = new Map<string, readonly Diagnostic[]>();
  const readers: Readers = new Map();
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let work: Promise<void> = Promise.resolve();
  let closed = false;

  function schedule(jobs: Iterable<string>): void {
    for (const job of jobs) waiting.add(job);
    if (waiting.size === 0 || closed) return;
    clearTimeout(timer);
    timer = setTimeout(drain, quietMs);
  }
  /** One job after the other: compiling is quick, and their order stays that of the folder. */
  function drain(): void {
    clearTimeout(timer);
    timer = undefined;
    const jobs = [...waiting].sort();
    waiting.clear();
    work = work.then(async () => {
      for (const job of jobs) {
        if (closed) return;
        try {
          await syncJob(deps, { folder, job, problems, readers });
        } catch (error) {
          log.error({ err: error, job }, "jobs folder: the job could not be read");
        }
      }
    });
  }
  function onPath(absolute: string): void {
    const path = relative(folder, absolute).split(sep).join("/");
    if (path === "" || path.startsWith("..")) return;
    noteBadName(path);
    const first = path.split("/")[0] ?? "";
    // What failed may have failed for want of this file.
    const affected = [...readers].filter(([, paths]) => paths.has(path)).map(([job]) => job);
    const own = [jobOfEntry(path), path === first ? undefined : jobOfEntry(`${first}/index.ts`)].filter(
      (job) => job !== undefined,
    );
    const failing = [...problems.keys()].filter((key) => !key.includes("."));
    schedule([...affected, ...failing, ...own]);
  }
  function noteBadName(path: string): void {
    const message = findBadName(path);
    if (message === undefined) return;
    void declaresJob(folder, path).then((isJob) => {
      const hint = "rename the file; its name is the job's name";
      if (isJob) problems.set(path, [{ file: path, line: 1, column: 1, message, hint, severity: "error" }]);
      else problems.delete(path);
    });
  }

  const watcher = watch(folder, {
    ignored: (path) => /(^|[\\/])(node_modules|\.[^\\/]*)([\\/]|$)/.test(path.slice(folder.length)),
    followSymlinks: false,
    ignoreInitial: false,
    depth: 6,
    awaitWriteFinish: { stabilityThreshold: quietMs, pollInterval: 50 },
  });
  watcher.on("all", (_event, path) => onPath(path));
  watcher.on("error", (error) => log.warn({ err: messageOf(error) }, "jobs folder: cannot be watched"));
  await new Promise<void>((ready) => watcher.once("ready", ready));
  // A decision may be the word that a job waited for: its file is back, and now approved.
  const stop = approvals.onChange((job) => schedule([job]));
  const known = await store.db.selectFrom("jobs").select("name").where("path", "is not", null).execute();
  for (const job of [...(await listFolderJobs(folder)), ...known.map(({ name }) => name)]) waiting.add(job);
  drain();
  await work;

  return {
    problems: () => problems,
    async idle() {
      while (timer !== undefined || waiting.size > 0) {
        drain();
        await work;
      }
      await work;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      stop();
      await watcher.close();
      await work;
    },
  };
}
