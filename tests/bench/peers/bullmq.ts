import { fileURLToPath } from "node:url";
import { Queue, QueueEvents, Worker } from "bullmq";
import type { StartContestant } from "./contestant.ts";

const processor = fileURLToPath(new URL("./bullmq-job.mjs", import.meta.url));

/** Runs in processes that it forks and uses again, two of them. The line is a progress message, which it also keeps. */
export const start: StartContestant = async ({ redisPort, onLine, onSlot, holdUrl }) => {
  const connection = { host: "127.0.0.1", port: redisPort, maxRetriesPerRequest: null };
  const queue = new Queue("bench", { connection });
  const events = new QueueEvents("bench", { connection });
  const worker = new Worker("bench", processor, { connection, concurrency: 2, name: "bench" });
  worker.on("error", () => {});
  // Each run that is waited for listens, and a hundred are.
  queue.setMaxListeners(0);
  events.setMaxListeners(0);
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
  worker.on("progress", ({ name }) => {
    if (name === "slot") onSlot();
    else if (name === "run") onLine();
  });
  return {
    async run() {
      const job = await queue.add("run", {});
      await job.waitUntilFinished(events);
    },
    async hold() {
      await queue.add("hold", { holdUrl });
    },
    async everySecond() {
      await queue.upsertJobScheduler("each-second", { pattern: "* * * * * *" }, { name: "slot" });
      return async () => void (await queue.removeJobScheduler("each-second"));
    },
    async [Symbol.asyncDispose]() {
      await worker.close(true);
      await events.close();
      await queue.close();
    },
  };
};
