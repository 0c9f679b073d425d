import { Logger, run } from "graphile-worker";
import type { StartContestant } from "./contestant.ts";

/** Its functions run in the worker's own process, woken by LISTEN/NOTIFY. Its crontab knows no seconds. */
export const start: StartContestant = async ({ databaseUrl, onLine, holdUrl }) => {
  const ends = new Map<string, () => void>();
  const runner = await run({
    connectionString: databaseUrl,
    concurrency: 2,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    crontab: "",
    taskList: {
      run: async () => onLine(),
      hold: async () => void (await fetch(holdUrl)),
    },
  });
  const early = new Set<string>();
  runner.events.on("job:complete", ({ job }) => {
    const end = ends.get(job.id);
    if (end === undefined) early.add(job.id);
    else end();
    ends.delete(job.id);
  });
  return {
    async run() {
      const { id } = await runner.addJob("run", {});
      if (!early.delete(id)) await new Promise<void>((resolve) => ends.set(id, resolve));
    },
    async hold() {
      await runner.addJob("hold", {});
    },
    [Symbol.asyncDispose]: () => runner.stop(),
  };
};
