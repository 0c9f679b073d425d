import { once } from "node:events";
import { fileURLToPath } from "node:url";
import Bree from "bree";
import type { StartContestant } from "./contestant.ts";
import { twoAtATime } from "./two-at-a-time.ts";

const path = fileURLToPath(new URL("./bree-job.mjs", import.meta.url));

/** A thread per run; bree itself keeps one run of a job at a time, so the job stands there twice. */
export const start: StartContestant = async ({ onLine, onSlot, holdUrl }) => {
  const inTurn = twoAtATime();
  const bree = new Bree({
    root: false,
    logger: false,
    jobs: [
      { name: "run-0", path },
      { name: "run-1", path },
      { name: "hold-0", path, worker: { workerData: { holdUrl } } },
      { name: "hold-1", path, worker: { workerData: { holdUrl } } },
      { name: "slot", path, cron: "* * * * * *", hasSeconds: true },
    ],
    workerMessageHandler({ name, message }) {
      if (message !== "first line") return;
      if (name === "slot") onSlot();
      else onLine();
    },
  });
  let held = 0;
  return {
    run: () =>
      inTurn(async (place) => {
        const name = `run-${place}`;
        const ended = new Promise<void>((resolve) => {
          const deleted = (which: string) => {
            if (which !== name) return;
            bree.off("worker deleted", deleted);
            resolve();
          };
          bree.on("worker deleted", deleted);
        });
        await bree.run(name);
        await ended;
      }),
    async hold() {
      const created = once(bree, "worker created");
      await bree.run(`hold-${held++}`);
      await created;
    },
    async everySecond() {
      await bree.start("slot");
      return () => bree.stop("slot");
    },
    async [Symbol.asyncDispose]() {
      await bree.stop();
    },
  };
};
