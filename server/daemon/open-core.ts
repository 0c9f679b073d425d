import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import type { Config } from "../config.ts";
import { readSecrets } from "../effects/secret-values.ts";
import { effects } from "../effects/table.ts";
import { messageOf, UserError } from "../errors.ts";
import { type FolderWatch, watchFolder } from "../jobs/folder.ts";
import { createOllama } from "../llm/ollama.ts";
import type { Log } from "../log.ts";
import { createNotifier } from "../notify/create-notifier.ts";
import { createBehaviourDiff } from "../rehearsal/behaviour-diff.ts";
import { createRehearse } from "../rehearsal/create-rehearse.ts";
import { createApprovals } from "../review/approvals.ts";
import { executeRun } from "../runs/execute-run.ts";
import { type Scheduler, startScheduler } from "../runs/scheduler.ts";
import { startWorker, type Worker } from "../runs/worker.ts";
import { createPool } from "../sandbox/pool.ts";
import type { DaemonDeps } from "./deps.ts";
import { effectServices } from "./effect-services.ts";
import { openStorePatiently } from "./open-store-patiently.ts";
import { rememberStore, requireSameStore } from "./remember-store.ts";
import { startRetention } from "./retention-timer.ts";
import { stopRevokedRuns } from "./stop-revoked-runs.ts";

/** Everything behind the doors. Disposing it lets runs end (or puts them back), then closes the store. */
export type Core = AsyncDisposable &
  Readonly<{
    deps: DaemonDeps;
    worker: Worker;
    /** Undefined until the jobs folder was read for the first time. */
    folder: () => FolderWatch | undefined;
  }>;

/** What runs get at the end before they are put back into the queue. */
const graceMs = 10_000;

/** Opens store, runners, approvals, schedules and the jobs folder, in this order; the last goes on in the background. */
export async function openCore(options: {
  config: Config;
  log: Log;
  signal: AbortSignal;
  onProblem: (problem: string | null) => void;
}): Promise<Core> {
  const { config, log, signal, onProblem } = options;
  const { home, databaseUrl, runners, jobsFolder } = config;
  const clock = () => new Date();
  await using stack = new AsyncDisposableStack();

  mkdirSync(home.cache, { recursive: true, mode: 0o700 });
  prepareJobsFolder(jobsFolder);
  requireSameStore(home, databaseUrl);
  const store = stack.use(await openStorePatiently({ dataDir: home.data, databaseUrl, log }, { signal, onProblem }));
  rememberStore(home, store.kind);
  const pool = stack.use(await createPool({ ...runners, log: log.child({ part: "sandbox" }), cacheDir: home.cache }));
  const approvals = stack.use(await createApprovals({ store, home, log }));
  stack.use(stopRevokedRuns({ db: store.db, approvals, log }));

  const secrets = () => readSecrets(home.env);
  const llm = createOllama({ ...config.ollama, log: log.child({ part: "llm" }) });
  const notify = createNotifier(config.notify);
  const services = effectServices({ store, approvals, log, home, clock, llm, notify });
  const name = `${hostname()}:${process.pid}:${randomBytes(3).toString("hex")}`;
  const worker = startWorker({
    store,
    execute: (run, aborted) =>
      executeRun({ store, pool, approvals, secrets, services, log, clock, worker: name }, run, aborted),
    log: log.child({ part: "worker" }),
    max: runners.max,
    worker: name,
  });
  stack.defer(() => worker.drain({ graceMs }));
  const scheduler: Scheduler = stack.use(
    startScheduler({ store, approvals, log: log.child({ part: "scheduler" }), clock, nudge: worker.nudge }),
  );
  const nudge = () => {
    worker.nudge();
    void scheduler.tick();
  };
  const rehearse = createRehearse({ db: store.db, pool, effects, clock });
  const diffBehaviour = createBehaviourDiff({ db: store.db, pool, effects, log });
  const deps: DaemonDeps = { store, config, pool, approvals, rehearse, diffBehaviour, log, clock, nudge, secrets };
  stack.use(startRetention({ store, retention: config.retention, runsFolder: home.runs, log, clock }));
  const folder = watchInBackground(deps);
  stack.use(folder);

  const owned = stack.move();
  return { deps, worker, folder: folder.current, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function prepareJobsFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new UserError("invalid_config", `The jobs folder ${path} cannot be made: ${messageOf(cause)}.`, {
      next: "set jobs in config.yaml (or JOBRUNNER_JOBS) to a folder that you may write",
      cause,
    });
  }
}

/** The first reading compiles whatever changed, which no host should wait for. */
function watchInBackground(deps: DaemonDeps): AsyncDisposable & { current: () => FolderWatch | undefined } {
  let watch: FolderWatch | undefined;
  const opening = watchFolder({ ...deps, log: deps.log.child({ part: "folder" }) })
    .then((opened) => {
      watch = opened;
    })
    .catch((error: unknown) => deps.log.error({ err: error }, "the jobs folder is not watched"));
  return {
    current: () => watch,
    async [Symbol.asyncDispose]() {
      await opening;
      await watch?.[Symbol.asyncDispose]();
    },
  };
}
