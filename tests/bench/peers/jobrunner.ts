import { join } from "node:path";
import { submitJob } from "../../../server/jobs/submit-job.ts";
import { silentLog } from "../../../server/log.ts";
import { requestRun } from "../../../server/runs/control.ts";
import { startScheduler } from "../../../server/runs/scheduler.ts";
import { waitForRun } from "../../../server/runs/wait-for-run.ts";
import { createPool } from "../../../server/sandbox/pool.ts";
import type { LogLine, Pool } from "../../../server/sandbox/types.ts";
import { openStore } from "../../../server/store/open-store.ts";
import { testJobs } from "../../support/jobs.ts";
import { startBenchWorker } from "../start-bench-worker.ts";
import type { StartContestant } from "./contestant.ts";

const source = (schedule: string) => `import { defineJob } from "jobrunner";
export default defineJob({ description: "says one line", ${schedule}, limits: { runsPerHour: 100_000 }, async run({ log }) { log.info("here"); } });
`;

/**
 * The parts of a daemon in one process: signed jobs, two runners, every commit synced, as a daemon has them. The runs of a slot and those that
 * are asked for are two jobs, as with the others.
 */
export const start: StartContestant = async ({ folder, databaseUrl, onLine, onSlot }) => {
  const log = silentLog;
  const clock = () => new Date();
  await using stack = new AsyncDisposableStack();
  const real = stack.use(await createPool({ max: 2, warm: 1, log, cacheDir: folder }));
  const pool: Pool = {
    ...real,
    run(run) {
      const seen = run.info.job === "slot" ? onSlot : onLine;
      const onLog = (line: LogLine) => {
        seen();
        run.onLog(line);
      };
      return real.run({ ...run, onLog });
    },
  };
  const store = openStore({ dataDir: join(folder, "data"), databaseUrl: databaseUrl || null, log });
  const jobs = stack.use(await testJobs(pool, new Date(), store));
  const deps = { ...jobs.deps, clock };
  const submit = async (name: string, schedule: string) => {
    const order = { name, source: source(schedule), note: null, dryRun: false, proposedBy: "bench", writeFolder: true };
    const { outcome } = await submitJob(deps, { ...order, traceId: "bench" });
    if (outcome !== "created") throw new Error(`the bench's job was not stored: ${outcome}`);
    await jobs.approve(name);
  };
  await submit("run", `schedule: { cron: "0 0 1 1 *", overlap: "allow" }`);
  // Nothing fires before there is a scheduler.
  await submit("slot", `schedule: { cron: "* * * * * *", catchUp: "none" }`);
  const worker = startBenchWorker(jobs, pool, log);
  stack.defer(() => worker.drain());
  const owned = stack.move();
  const order = { job: "run", trigger: "person", requestedBy: "person", traceId: "bench" } as const;
  return {
    async run() {
      const { run } = await requestRun({ ...deps, enqueue: worker.enqueue }, order);
      const ended = await waitForRun(deps, run.id, { waitSeconds: 50, signal: new AbortController().signal });
      if (ended.state !== "succeeded") throw new Error(`a run ended as ${ended.state}`);
    },
    async everySecond() {
      const scheduler = startScheduler({ ...deps, log, nudge: worker.nudge });
      await scheduler.tick();
      return () => scheduler[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
};
