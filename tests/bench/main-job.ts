import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { submitJob } from "../../server/jobs/submit-job.ts";
import { silentLog } from "../../server/log.ts";
import { requestRun } from "../../server/runs/control.ts";
import { waitForRun } from "../../server/runs/wait-for-run.ts";
import { createPool } from "../../server/sandbox/pool.ts";
import type { LogLine, Pool } from "../../server/sandbox/types.ts";
import { openStore } from "../../server/store/open-store.ts";
import { testJobs } from "../support/jobs.ts";
import { percentile, print } from "./figures.ts";
import { startBenchWorker } from "./start-bench-worker.ts";

/*
 * The main job on the embedded database on disk, every commit synced, approval verified at each start, two runners: from the
 * request to the first line of the job, and whole runs. The peer, one by one in turns: a forked process per run, which isolates,
 * journals and verifies nothing. So ours begin with cold caches each time; rounds of many, each contestant in a process of its own, are peers.ts.
 */
const source = (round: number) => `import { defineJob } from "jobrunner";
const schedule = { cron: "0 0 1 1 *", overlap: "allow" } as const;
export default defineJob({ description: "says one line, ${round}", schedule, async run({ log }) { log.info("here"); } });
`;
const peer = fileURLToPath(new URL("./peers/fork-job.mjs", import.meta.url));

function forkPeer(): Promise<number> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = fork(peer);
    let first = Number.NaN;
    child.once("message", () => {
      first = performance.now() - start;
    });
    child.once("error", reject).once("exit", () => resolve(first));
  });
}

const root = await mkdtemp(join(tmpdir(), "jobrunner-bench-"));
{
  const log = silentLog;
  const clock = () => new Date();
  await using real = await createPool({ max: 2, warm: 1, log, cacheDir: root });
  let firstLine = () => {};
  const pool: Pool = {
    ...real,
    run(run) {
      const onLog = (line: LogLine) => {
        firstLine();
        run.onLog(line);
      };
      return real.run({ ...run, onLog });
    },
  };
  const store = openStore({ dataDir: join(root, "data"), databaseUrl: null, log });
  await using jobs = await testJobs(pool, new Date(), store);
  const deps = { ...jobs.deps, clock };

  const submits: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    const start = performance.now();
    const submitted = await submitJob(deps, {
      name: "bench",
      source: source(round),
      note: null,
      dryRun: false,
      proposedBy: "bench",
      writeFolder: true,
      traceId: "bench",
    });
    submits.push(performance.now() - start);
    if (submitted.outcome !== "created") throw new Error(`the bench job was not stored: ${submitted.outcome}`);
  }
  print("job_submit, whole (bar 400 ms)", `${percentile(submits.slice(1), 0.5).toFixed(0)} ms p50`);
  await jobs.approve("bench");

  const worker = startBenchWorker(jobs, pool, log);
  const order = { job: "bench", trigger: "person", requestedBy: "person", traceId: "bench" } as const;
  const run = async () => {
    const { run: row } = await requestRun({ ...deps, enqueue: worker.enqueue }, order);
    const ended = await waitForRun(deps, row.id, { waitSeconds: 30, signal: new AbortController().signal });
    if (ended.state !== "succeeded") throw new Error(`a run ended as ${ended.state}`);
  };
  await run();
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < 40; round += 1) {
    const start = performance.now();
    firstLine = () => ours.push(performance.now() - start);
    await run();
    theirs.push(await forkPeer());
  }
  firstLine = () => {};
  const [our, their] = [percentile(ours, 0.5), percentile(theirs, 0.5)];
  print("request -> first line after a process has come and gone (bar 7 ms)", `${our.toFixed(2)} ms p50`);
  print(
    "  that process, forked from here, and its first line",
    `${their.toFixed(1)} ms p50, ratio 1/${(their / our).toFixed(1)}`,
  );

  const count = 400;
  const start = performance.now();
  const last = Array.from({ length: count }, () => requestRun({ ...deps, enqueue: worker.enqueue }, order));
  for (const { run: row } of await Promise.all(last)) {
    await waitForRun(deps, row.id, { waitSeconds: 50, signal: new AbortController().signal });
  }
  const perSecond = Math.round(count / ((performance.now() - start) / 1_000));
  print("whole no-op runs, two runners, history and journal (bar 150/s)", `${perSecond}/s`);
  await worker.drain();
}
await rm(root, { recursive: true, force: true });
