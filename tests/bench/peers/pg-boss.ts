import { PgBoss } from "pg-boss";
import { z } from "zod";
import type { StartContestant } from "./contestant.ts";

/**
 * Its functions run in the worker's own process. LISTEN/NOTIFY and bursts of ten are switched on, which is not its default: else it
 * polls. A run counts as ended when its function has, a little before pg-boss writes so. Its cron knows no seconds.
 */
export const start: StartContestant = async ({ databaseUrl, onLine, holdUrl }) => {
  const boss = new PgBoss({ connectionString: databaseUrl, useListenNotify: true });
  boss.on("error", () => {});
  await boss.start();
  const queue = { notify: true };
  await boss.createQueue("run", queue);
  await boss.createQueue("hold", queue);
  const polling = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 };
  const ends = new Map<string, () => void>();
  let asked = 0;
  await boss.work("run", { ...polling, batchSize: 10, burstWhenBatchFull: true }, async (jobs) => {
    for (const { data } of jobs) {
      const { key } = keyed.parse(data);
      onLine();
      setImmediate(() => ends.get(key)?.());
    }
  });
  await boss.work("hold", { ...polling, localConcurrency: 2 }, async () => void (await fetch(holdUrl)));
  return {
    async run() {
      const key = String(asked++);
      const ended = new Promise<void>((resolve) => ends.set(key, resolve));
      await boss.send("run", { key });
      await ended;
      ends.delete(key);
    },
    async hold() {
      await boss.send("hold", {});
    },
    [Symbol.asyncDispose]: () => boss.stop({ graceful: false }),
  };
};

const keyed = z.object({ key: z.string() });
