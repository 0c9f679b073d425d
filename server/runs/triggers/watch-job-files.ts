import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type FSWatcher, watch } from "chokidar";
import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Db } from "../../store/open-store.ts";
import { raiseAlert } from "../alerts.ts";
import { createWake } from "../wake.ts";
import { findChanges } from "./file-changes.ts";
import { isWatchedName, mostFiles, type Scan, scanFiles, TooManyFilesError } from "./scan-files.ts";
import {
  filesAlertKey,
  readMarks,
  rememberFiles,
  startFromFiles,
  tellFilesHeld,
  type WatchedJob,
  whyHeld,
} from "./start-from-files.ts";

export type WatchTimes = Readonly<{
  /** How long files must stand still before they start a run. */
  quietMs: number;
  /** What moves for longer than this is left to the next run. */
  patienceMs: number;
  /** How often files are looked at in any case: on network folders nobody tells of changes. */
  pollMs: number;
  /** How often it is asked whether a run may start again. */
  heldMs: number;
}>;

type Deps = Readonly<{
  db: Db;
  log: Log;
  clock: () => Date;
  times: WatchTimes;
  /** Whether runs of the job can be served on this machine. */
  isServed: () => Promise<boolean>;
}>;

/** The watch over one job's files. */
export type JobFilesWatch = AsyncDisposable & Readonly<{ ring(): void }>;

/**
 * Starts runs of a job when its files have changed, those included that changed while nobody watched. What the operating system
 * tells is only the bell: what has changed is found by comparing with what the store remembers.
 */
export function watchJobFiles(deps: Deps, watched: WatchedJob): JobFilesWatch {
  const { db, log, clock, times } = deps;
  const { job, manifest } = watched;
  const roots = manifest.triggers.files;
  const wake = createWake();
  const closed = new AbortController();
  let watchers: FSWatcher[] = [];
  let watching = "";
  let told = false;

  async function listen(): Promise<void> {
    const folders: string[] = [];
    const parents: string[] = [];
    for (const root of roots) {
      const found = await stat(root).catch(() => undefined);
      // A file that is replaced is another one, so its folder is watched.
      if (found?.isDirectory() === true) folders.push(root);
      else if ((await stat(dirname(root)).catch(() => undefined)) !== undefined) parents.push(dirname(root));
    }
    const wanted = JSON.stringify([folders, parents]);
    if (wanted === watching) return;
    await stopListening();
    watching = wanted;
    const options = { ignoreInitial: true, followSymlinks: false };
    const ignoredIn = (path: string) => !folders.includes(path) && !isWatchedName(path);
    const ignoredBeside = (path: string) => !parents.includes(path) && !roots.includes(path);
    if (folders.length > 0) watchers.push(watch(folders, { ...options, ignored: ignoredIn }));
    if (parents.length > 0) watchers.push(watch(parents, { ...options, ignored: ignoredBeside, depth: 0 }));
    for (const watcher of watchers) {
      watcher.on("all", wake.ring).on("ready", wake.ring);
      watcher.on("error", (error) => log.warn({ job, err: messageOf(error) }, "files are looked at now and then only"));
    }
  }

  async function stopListening(): Promise<void> {
    const old = watchers;
    watchers = [];
    watching = "";
    for (const watcher of old) await watcher.close();
  }

  /** How long to wait for the bell until the next look. */
  async function look(): Promise<number> {
    if (!(await deps.isServed())) return times.pollMs;
    const scan = await scanFiles(roots);
    await listen();
    const before = await readMarks(db, watched);
    if (before === undefined) {
      await rememberFiles(db, watched, { scan, now: clock() });
      return 0;
    }
    if (findChanges(before, scan).length === 0) return times.pollMs;
    const held = await whyHeld(db, watched);
    if (held === "limit" && !told) await tellFilesHeld(db, watched);
    told = held === "limit";
    if (held !== undefined) return held === "busy" ? times.heldMs : 5 * times.heldMs;
    const { scan: still, moving } = await untilStill(scan);
    const run = await startFromFiles(db, watched, { scan: still, moving, now: clock() });
    if (run !== undefined) log.info({ run: run.id, job, trace: run.trace_id }, "run requested by changed files");
    return moving.size === 0 ? 0 : times.heldMs;
  }

  /** Waits until what is being written is whole; what moves on and on is named. */
  async function untilStill(first: Scan): Promise<{ scan: Scan; moving: ReadonlySet<string> }> {
    const until = performance.now() + times.patienceMs;
    for (let last = first; ; ) {
      await sleep(times.quietMs, undefined, { signal: closed.signal });
      const scan = await scanFiles(roots);
      const moving = new Set(findChanges(last.marks, scan).map(({ path }) => path));
      if (moving.size === 0 || performance.now() >= until) return { scan, moving };
      last = scan;
    }
  }

  async function loop(): Promise<void> {
    for (let failing = ""; !closed.signal.aborted; ) {
      let waitMs = times.pollMs;
      try {
        waitMs = await look();
        failing = "";
      } catch (thrown) {
        if (closed.signal.aborted) return;
        if (failing !== messageOf(thrown)) await tell(thrown);
        failing = messageOf(thrown);
      }
      if (waitMs > 0) await wake.wait(waitMs);
      // Changes come in bursts.
      await sleep(times.quietMs / 2, undefined, { signal: closed.signal }).catch(() => undefined);
    }
  }

  async function tell(thrown: unknown): Promise<void> {
    log.warn({ job, err: thrown }, "the files of a job could not be looked at");
    if (!(thrown instanceof TooManyFilesError)) return;
    const message = `${job} waits for more than ${mostFiles} files, so none of them starts it; name smaller folders in triggers.files`;
    await raiseAlert(db, { key: filesAlertKey(job), message }).catch(() => undefined);
  }

  const looking = loop();
  return {
    ring: wake.ring,
    async [Symbol.asyncDispose]() {
      closed.abort();
      wake.ring();
      await looking;
      await stopListening();
    },
  };
}
