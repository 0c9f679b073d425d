import { mkdirSync } from "node:fs";
import type { Config } from "../config.ts";
import { effects } from "../effects/table.ts";
import { messageOf, UserError } from "../errors.ts";
import { type FolderWatch, watchFolder } from "../jobs/folder.ts";
import type { Log } from "../log.ts";
import { createBehaviourDiff } from "../rehearsal/behaviour-diff.ts";
import { createRehearse } from "../rehearsal/create-rehearse.ts";
import { type Scheduler, startScheduler } from "../runs/scheduler.ts";
import { startFileTriggers } from "../runs/triggers/file-triggers.ts";
import type { Worker } from "../runs/worker.ts";
import { startEmbeddedUpkeep } from "../store/embedded-upkeep.ts";
import type { DaemonDeps } from "./deps.ts";
import { drivePlans } from "./drive-plans.ts";
import { createMetrics, type Metrics } from "./metrics/create-metrics.ts";
import { openBase } from "./open-base.ts";
import { startRetention } from "./retention-timer.ts";
import { sendAlerts } from "./send-alerts.ts";
import { startExecuting } from "./start-executing.ts";

/** Everything behind the doors. Disposing it lets runs end (or puts them back), then closes the store. */
export type Core = AsyncDisposable &
  Readonly<{
    deps: DaemonDeps;
    worker: Worker;
    /** Resolves with a migration's name once a newer program has migrated the database: this one must end. */
    outdated: Promise<string>;
    metrics: Metrics;
    /** Undefined until the jobs folder was read for the first time. */
    folder: () => FolderWatch | undefined;
  }>;

/** Opens store, runners, approvals, schedules and the jobs folder, in this order; the last goes on in the background. */
export async function openCore(options: {
  config: Config;
  log: Log;
  signal: AbortSignal;
  onProblem: (problem: string | null) => void;
}): Promise<Core> {
  const { config, log } = options;
  const { home, jobsFolder } = config;
  await using stack = new AsyncDisposableStack();

  prepareJobsFolder(jobsFolder);
  const base = stack.use(await openBase({ ...options, role: "daemon" }));
  const { store, pool, approvals, secrets, notify, clock } = base;
  // Before the worker, so that it ends after it.
  const alerts = stack.use(sendAlerts({ store, config, notify, secrets, log }));
  const { worker, self, serving, outdated } = stack.use(await startExecuting(base, "daemon"));
  const scheduler: Scheduler = stack.use(
    startScheduler({ store, approvals, log: log.child({ part: "scheduler" }), clock, nudge: worker.nudge }),
  );
  stack.use(
    startFileTriggers({ store, approvals, serving, host: self.host, log: log.child({ part: "files" }), clock }),
  );
  const nudge = () => {
    worker.nudge();
    void scheduler.tick();
  };
  stack.use(await drivePlans({ ...base, self, log: log.child({ part: "plans" }) }));
  const rehearse = createRehearse({ db: store.db, pool, effects, clock });
  const diffBehaviour = createBehaviourDiff({ db: store.db, pool, effects, log });
  const deps: DaemonDeps = {
    store,
    config,
    pool,
    approvals,
    rehearse,
    diffBehaviour,
    log,
    clock,
    nudge,
    secrets,
    failingTargets: alerts.failing,
  };
  const metrics = stack.use(
    createMetrics({
      store,
      runners: pool.stats,
      ops: effects.map(({ op }) => op),
      log: log.child({ part: "metrics" }),
      clock: () => performance.now(),
    }),
  );
  stack.use(startEmbeddedUpkeep({ store, log: log.child({ part: "store" }) }));
  stack.use(startRetention({ store, retention: config.retention, runsFolder: home.runs, log, clock }));
  const folder = watchInBackground(deps);
  stack.use(folder);

  const owned = stack.move();
  return { deps, worker, outdated, metrics, folder: folder.current, [Symbol.asyncDispose]: () => owned.disposeAsync() };
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
