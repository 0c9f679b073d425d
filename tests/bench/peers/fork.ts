import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import cron from "node-cron";
import type { StartContestant } from "./contestant.ts";
import { twoAtATime } from "./two-at-a-time.ts";

const program = fileURLToPath(new URL("./fork-job.mjs", import.meta.url));

/** A process per run, and node-cron to start it: what one writes by hand. */
export const start: StartContestant = async ({ onLine, onSlot, holdUrl }) => {
  const inTurn = twoAtATime();
  const job = (line: () => void, args: string[] = []) =>
    inTurn(
      () =>
        new Promise<void>((resolve, reject) => {
          const child = fork(program, args);
          child.once("message", line);
          child.once("error", reject).once("exit", () => resolve());
        }),
    );
  return {
    run: () => job(onLine),
    async hold() {
      void job(() => {}, [holdUrl]);
    },
    async everySecond() {
      const task = cron.schedule("* * * * * *", () => void job(onSlot));
      return async () => void (await task.destroy());
    },
    async [Symbol.asyncDispose]() {},
  };
};
