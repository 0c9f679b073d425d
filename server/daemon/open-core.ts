import { mkdirSync } from "node:fs";
import type { Supervisor } from "../agents/supervisor.ts";
import type { Config } from "../config.ts";
import { type DefinitionsWatch, watchDefinitions } from "../definitions/watch-definitions.ts";
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
import { findPlanCaps } from "./agents/find-plan-caps.ts";
import { startAgents } from "./agents/start-agents.ts";
import { startAlertTasks } from "./alert-tasks.ts";
import type { DaemonDeps } from "./deps.ts";
import { drivePlans } from "./drive-plans.ts";
import { createMetrics, type Metrics } from "./metrics/create-metrics.ts";
import { openBase } from "./open-base.ts";
import { startRetention } from "./retention-timer.ts";
import { cleanAlertText, sendAlerts } from "./send-alerts.ts";
import { sharedContext } from "./shared-context.ts";
import { startExecuting } from "./start-executing.ts";
import { type GithubSync, startGithubSync } from "./sync-github.ts";

/** Everything behind the doors. Disposing it lets runs end (or puts them back), then closes the store. */
export type Core = AsyncDisposable &
  Readonly<{
    deps: DaemonDeps;
    worker: Worker;
    agents: Pick<Supervisor, "stats">;
    /** Resolves with a migration's name once a newer program has migrated the database: this one must end. */
    outdated: Promise<string>;
    metrics: Metrics;
    github: GithubSync;
    /** Undefined until the jobs folder was read for the first time. */
    folder: () => FolderWatch | undefined;
    /** Roles, skills, MCP servers and commands on disk. */
    definitions: InBackground<DefinitionsWatch>;
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
  if (config.alerts.tasks) {
    const clean = (text: string) => cleanAlertText(text, secrets);
    stack.use(startAlertTasks({ store, clean, log: log.child({ part: "tasks" }) }));
  }
  const github = stack.use(
    startGithubSync({ store, repos: config.tasks.github, secrets, log: log.child({ part: "tasks" }) }),
  );
  const { worker, self, serving, services, outdated } = stack.use(await startExecuting(base, "daemon"));
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
    enqueue: worker.enqueue,
    secrets,
    failingTargets: alerts.failing,
  };
  const agents = stack.use(
    startAgents(base, {
      owner: self.name,
      services,
      planCaps: (planId) => findPlanCaps(store.db, planId),
      context: () => sharedContext(deps),
    }),
  );
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
  stack.use(
    startRetention({
      store,
      retention: config.retention,
      home,
      log,
      clock,
    }),
  );
  const folderLog = log.child({ part: "folder" });
  const folder = stack.use(
    openInBackground(watchFolder({ ...deps, log: folderLog }), (error) =>
      log.error({ err: error }, "the jobs folder is not watched"),
    ),
  );
  const places = { home, skillPaths: config.skills.paths, env: process.env };
  const definitions = stack.use(
    openInBackground(watchDefinitions({ store, approvals, log: folderLog, clock }, places), (error) =>
      log.error({ err: error }, "roles, skills, MCP servers and commands are not watched"),
    ),
  );

  const owned = stack.move();
  return {
    deps,
    worker,
    outdated,
    metrics,
    github,
    folder: folder.current,
    definitions,
    agents,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
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

/** Something that takes a while to open, which no host should wait for. */
export type InBackground<T> = AsyncDisposable &
  Readonly<{
    current: () => T | undefined;
    /** Resolves once it is open; with undefined where it cannot be. */
    opened: Promise<T | undefined>;
  }>;

function openInBackground<T extends AsyncDisposable>(
  opening: Promise<T>,
  onError: (error: unknown) => void,
): InBackground<T> {
  let current: T | undefined;
  const opened = opening.then(
    (made) => {
      current = made;
      return made;
    },
    (error: unknown) => {
      onError(error);
      return undefined;
    },
  );
  return {
    current: () => current,
    opened,
    async [Symbol.asyncDispose]() {
      await (await opened)?.[Symbol.asyncDispose]();
    },
  };
}
