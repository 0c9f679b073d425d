/*
 * The queue alone: enqueue to claim through a worker with an executor that does nothing, and how fast a backlog drains.
 * `node tests/bench/queue.ts [rounds] [backlog]`; the store is chosen by TEST_STORE=pglite|postgres.
 */
import { silentLog } from "../../server/log.ts";
import type { AttemptOutcome } from "../../server/runs/attempt-outcome.ts";
import { enqueue, type NewRun } from "../../server/runs/queue/enqueue.ts";
import { startWorker } from "../../server/runs/worker.ts";
import { addJob } from "../support/runs.ts";
import { testStore } from "../support/store.ts";

const rounds = Number(process.argv[2] ?? 300);
const backlog = Number(process.argv[3] ?? 2_000);
const success: AttemptOutcome = { state: "succeeded", output: null, error: null };
const order: NewRun = { job: "bench", trigger: "host", requestedBy: "bench", traceId: "bench", concurrency: null };

function quantile(sorted: readonly number[], q: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN).toFixed(1);
}

await using store = await testStore();
await addJob(store.db, "bench");
let onRun: () => void = () => {};
const execute = async (): Promise<AttemptOutcome> => {
  onRun();
  return success;
};

const worker = startWorker({ store, log: silentLog, max: 10, worker: "bench", execute });
const latencies: number[] = [];
for (let round = 0; round < rounds; round++) {
  const began = Promise.withResolvers<void>();
  onRun = began.resolve;
  const from = performance.now();
  await enqueue(store.db, order);
  worker.nudge();
  await began.promise;
  latencies.push(performance.now() - from);
}
await worker.drain();
latencies.sort((a, b) => a - b);
process.stdout.write(
  `${store.kind}: enqueue -> claimed p50 ${quantile(latencies, 0.5)} ms, p99 ${quantile(latencies, 0.99)} ms (${rounds} rounds)\n`,
);

const enqueueFrom = performance.now();
const callers = Array.from({ length: 10 }, async () => {
  for (let i = 0; i < backlog / 10; i++) await enqueue(store.db, order);
});
await Promise.all(callers);
const enqueueSeconds = (performance.now() - enqueueFrom) / 1_000;

let left = backlog;
const drained = Promise.withResolvers<void>();
onRun = () => {
  if (--left === 0) drained.resolve();
};
const drainFrom = performance.now();
const drainer = startWorker({ store, log: silentLog, max: 10, worker: "bench-2", execute });
await drained.promise;
await drainer.drain();
const drainSeconds = (performance.now() - drainFrom) / 1_000;
process.stdout.write(
  `${store.kind}: ${Math.round(backlog / enqueueSeconds)} enqueued per second by 10 callers, ` +
    `${Math.round(backlog / drainSeconds)} of ${backlog} drained per second\n`,
);
