import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkJob } from "../../server/jobs/check-job.ts";
import { nextSlots } from "../../server/jobs/schedule-words.ts";
import { silentLog } from "../../server/log.ts";
import { createPool } from "../../server/sandbox/pool.ts";

/*
 * What job_submit does before it stores: snapshot, bundle, type check, policy, declaration in a runner, manifest.
 * `node tests/bench/compile.ts` prints it. Bar for the whole of job_submit: 400 ms.
 */

const rounds = 30;
const source = await readFile(new URL("../../jobs/feed-watch.ts", import.meta.url));
const cacheDir = await mkdtemp(join(tmpdir(), "jobrunner-bench-"));
const times: number[] = [];
{
  await using pool = await createPool({ max: 2, warm: 1, log: silentLog, cacheDir });
  const config = { jobsFolder: cacheDir, timezone: "UTC", locale: "en-US" };
  for (let round = 0; round < rounds; round++) {
    // Another text each time, so that nothing can be answered from a cache.
    const files = new Map([["feed-watch.ts", Buffer.concat([source, Buffer.from(`// ${round}\n`)])]]);
    const started = performance.now();
    const checked = await checkJob({ config, pool, clock: () => new Date() }, { entry: "feed-watch.ts", files });
    times.push(performance.now() - started);
    if (!checked.ok) throw new Error(JSON.stringify(checked.diagnostics));
  }
}
await rm(cacheDir, { recursive: true, force: true });
const [first = 0] = times;
const sorted = times.slice(1).sort((a, b) => a - b);
const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0);
process.stdout.write(
  `compile and check of a job: first ${first.toFixed(0)} ms, then p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (bar: 400 ms)\n`,
);

const started = performance.now();
for (let i = 0; i < 1_000; i++) nextSlots({ cron: "0 8 * * 1-5", timezone: "Asia/Seoul" }, new Date(), 1);
process.stdout.write(`next slot of a schedule: ${((performance.now() - started) / 1_000).toFixed(3)} ms\n`);
