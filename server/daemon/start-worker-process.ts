import type { Config } from "../config.ts";
import { ensureConfigFile } from "../default-config.ts";
import { UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { WorkerSelf } from "../runs/workers/worker-self.ts";
import { version } from "../version.ts";
import { type DaemonInfo, removeDaemonInfo, writeDaemonInfo } from "./info.ts";
import { lockHome } from "./lock.ts";
import { openBase } from "./open-base.ts";
import { rejectsWhenOutdated } from "./outdated.ts";
import { preparePrivateFolders } from "./private-files.ts";
import { keepRunFolders } from "./run-folders-timer.ts";
import { startExecuting } from "./start-executing.ts";
import { writeLauncher } from "./write-launcher.ts";

/** A process that executes runs of a database that others share. Disposing it lets runs end, or puts them back. */
export type WorkerProcess = AsyncDisposable &
  Readonly<{
    self: WorkerSelf;
    /** Why it takes no runs now, or null. */
    problem: () => string | null;
    /** Rejects with `store_newer` once a newer program has migrated the database: this one must end. Never resolves. */
    outdated: Promise<never>;
  }>;

/**
 * Starts a worker in a home folder of its own, which it holds as a daemon does; it has no doors, no schedules and no jobs folder.
 * Waits for a database that does not answer until `signal` aborts. Throws `daemon_running`, `invalid_config`, `store_newer`.
 */
export async function startWorkerProcess(options: {
  config: Config;
  log: Log;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  onProblem: (problem: string | null) => void;
}): Promise<WorkerProcess> {
  const { config, log, env } = options;
  const { home, databaseUrl } = config;
  if (databaseUrl === null) {
    throw new UserError("invalid_config", "A worker needs the PostgreSQL database that its daemon uses.", {
      next: `set store.url in ${home.config}, or DATABASE_URL, to what the daemon has`,
    });
  }
  await using stack = new AsyncDisposableStack();
  preparePrivateFolders(home);
  stack.use(lockHome(home));
  const info: DaemonInfo = {
    role: "worker",
    pid: process.pid,
    started_at: new Date().toISOString(),
    version,
    socket: "",
    url: "",
    store: "postgres",
  };
  writeDaemonInfo(home, info);
  stack.defer(() => removeDaemonInfo(home));
  ensureConfigFile(home);
  writeLauncher(home, env);
  log.info({ version, home: home.root }, "worker: starting");

  const base = stack.use(await openBase({ ...options, role: "worker" }));
  const executing = stack.use(await startExecuting(base, "worker"));
  stack.use(keepRunFolders({ store: base.store, runsFolder: home.runs, log }));
  const outdated = rejectsWhenOutdated(log);
  outdated.follow(executing.outdated);
  log.info({ worker: executing.self.name, labels: executing.self.labels }, "worker: ready");

  const owned = stack.move();
  return {
    self: executing.self,
    problem: executing.problem,
    outdated: outdated.promise,
    async [Symbol.asyncDispose]() {
      log.info("worker: stopping");
      await owned.disposeAsync();
      log.info("worker: stopped");
    },
  };
}
