import fc from "fast-check";
import { test } from "vitest";
import { clockedStore } from "../../../tests/support/database-clock.ts";
import { allCommands, jobNames } from "../../../tests/support/run-model/commands.ts";
import type { Model } from "../../../tests/support/run-model/model.ts";
import { empty } from "../../../tests/support/run-model/real.ts";
import { addJob } from "../../../tests/support/runs.ts";
import { storeKinds } from "../../../tests/support/store.ts";

const start = Date.UTC(2026, 0, 1);

test.each(storeKinds)(
  "whatever happens in whatever order, runs on %s are as the model of docs/runs.md has them",
  {
    timeout: 900_000,
  },
  async (kind) => {
    await using clocked = await clockedStore(kind, start);
    await fc.assert(
      fc.asyncProperty(allCommands, async (commands) => {
        await empty(clocked);
        await clocked.setTime(start);
        for (const job of jobNames) await addJob(clocked.store.db, job);
        const jobs: Model["jobs"] = new Map(jobNames.map((job) => [job, "active"]));
        const model: Model = { now: start, jobs, runs: new Map(), leases: [] };
        await fc.asyncModelRun(() => ({ model, real: { ...clocked, ended: new Map() } }), commands);
      }),
      { numRuns: 80, seed: 20261125 },
    );
  },
);
