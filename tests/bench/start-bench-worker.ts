import type { Log } from "../../server/log.ts";
import { executeRun } from "../../server/runs/execute-run.ts";
import { countStarts } from "../../server/runs/too-many-runs.ts";
import { startWorker, type Worker } from "../../server/runs/worker.ts";
import type { Pool } from "../../server/sandbox/types.ts";
import type { TestJobs } from "../support/jobs.ts";
import { servesAll, testServices } from "../support/runs.ts";

/** A worker of two places that executes runs as the daemon does, without secrets and other services. */
export function startBenchWorker({ deps }: Pick<TestJobs, "deps">, pool: Pool, log: Log): Worker {
  const means = {
    secrets: () => ({ get: () => undefined, names: () => [] }),
    services: testServices(),
    serving: servesAll,
    tooManyRuns: countStarts(deps.store.db),
  };
  return startWorker({
    store: deps.store,
    execute: (run, signal, begin) => executeRun({ ...deps, ...means, pool, worker: "bench" }, run, signal, begin),
    log,
    max: 2,
    worker: "bench",
  });
}
