import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { agentsDeps } from "../agents/role-reader.ts";
import type { EffectServices } from "../effects/services.ts";
import { createOllama } from "../llm/ollama.ts";
import { personCommand } from "../person-command.ts";
import { executeRun } from "../runs/execute-run.ts";
import { countStarts } from "../runs/too-many-runs.ts";
import { startWorker, type Worker } from "../runs/worker.ts";
import { ownLabels } from "../runs/workers/own-labels.ts";
import { keepPresence } from "../runs/workers/presence.ts";
import { createServing, type Serving } from "../runs/workers/serving.ts";
import type { WorkerSelf } from "../runs/workers/worker-self.ts";
import { effectServices } from "./effect-services.ts";
import type { Base } from "./open-base.ts";
import { workerMeans } from "./worker-means.ts";

/** A worker that is on record and takes runs. Disposing it lets runs end, or puts them back. */
export type Executing = AsyncDisposable &
  Readonly<{
    worker: Worker;
    self: WorkerSelf;
    serving: Serving;
    /** What effects reach, for whoever else performs some. */
    services: EffectServices;
    /** Why it takes no runs now, or null. */
    problem: () => string | null;
    /** Resolves with a migration's name once a newer program has migrated the database: this one must end. */
    outdated: Promise<string>;
  }>;

/** What runs get at the end before they are put back into the queue. */
const graceMs = 10_000;

/** Starts to claim and execute what this machine can serve, as a daemon and as a worker alike. */
export async function startExecuting(base: Base, role: WorkerSelf["role"]): Promise<Executing> {
  const { config, log, clock, store, pool, approvals, secrets, notify } = base;
  const { home, runners } = config;
  await using stack = new AsyncDisposableStack();
  const host = hostname();
  const labels = [...config.labels, ...ownLabels({ host, platform: process.platform, arch: process.arch })];
  const self: WorkerSelf = {
    name: `${host}:${process.pid}:${randomBytes(3).toString("hex")}`,
    host,
    home: home.root,
    role,
    labels: [...new Set(labels)].sort(),
    max: runners.max,
    guestRuntimes: pool.runtimes(),
  };
  const workerLog = log.child({ part: "worker" });
  const trustHint = `On your machine: jr keys export. Here: ${personCommand(home, "setup", "--trust")} '<what it printed>'`;
  const means = workerMeans({ config, labels: self.labels, secrets });
  const serving = stack.use(await createServing({ store, approvals, self, means, trustHint, log: workerLog }));
  const outdated = Promise.withResolvers<string>();
  let worker: Worker | undefined;
  const presence = stack.use(
    await keepPresence({
      store,
      self,
      now: () => ({ running: worker?.stats().running ?? 0, ...serving.report() }),
      onNewer: outdated.resolve,
      log: workerLog,
    }),
  );
  const llm = createOllama({ ...config.ollama, log: log.child({ part: "llm" }) });
  const services = effectServices({
    ...agentsDeps({ store, approvals, log }),
    approvals,
    home,
    clock,
    llm,
    notify,
  });
  const tooManyRuns = countStarts(store.db);
  const deps = { store, pool, approvals, secrets, services, log, clock, worker: self.name, serving, tooManyRuns };
  const started = startWorker({
    store,
    execute: (run, aborted, begin) => executeRun(deps, run, aborted, begin),
    log: workerLog,
    max: runners.max,
    worker: self.name,
    except: serving.except,
  });
  worker = started;
  stack.defer(() => {
    presence.draining();
    return started.drain({ graceMs });
  });
  const owned = stack.move();
  return {
    worker: started,
    self,
    serving,
    services,
    problem: () => serving.report().problem,
    outdated: outdated.promise,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
