import type { Needs, StartContestant } from "./contestant.ts";

type Entry = Readonly<{
  name: string;
  /** What a run of it is worth, for the table. */
  keeps: string;
  needs: Needs;
  load(): Promise<{ start: StartContestant }>;
}>;

/** Everybody who takes part, in the order of the tables; the first is what the others are compared with. */
export const contestants = [
  {
    name: "jobrunner, PGlite",
    keeps: "own isolate and process, signature verified, journal, synced",
    needs: {},
    load: () => import("./jobrunner.ts"),
  },
  {
    name: "jobrunner, PostgreSQL",
    keeps: "own isolate and process, signature verified, journal, synced",
    needs: { postgres: true },
    load: () => import("./jobrunner.ts"),
  },
  { name: "fork per run", keeps: "own process; no record", needs: {}, load: () => import("./fork.ts") },
  { name: "bree", keeps: "thread per run; no record", needs: {}, load: () => import("./bree.ts") },
  {
    name: "graphile-worker",
    keeps: "in the worker's own process; queue, synced",
    needs: { postgres: true },
    load: () => import("./graphile-worker.ts"),
  },
  {
    name: "pg-boss",
    keeps: "in the worker's own process; queue and history, synced",
    needs: { postgres: true },
    load: () => import("./pg-boss.ts"),
  },
  {
    name: "bullmq, sandboxed",
    keeps: "process that runs share; queue and history, synced",
    needs: { redis: true },
    load: () => import("./bullmq.ts"),
  },
] as const satisfies readonly Entry[];

export type ContestantName = (typeof contestants)[number]["name"];
