import { deleteOldAgents } from "../agents/delete-old-agents.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import { deleteOldPlans, deletePlanFolders } from "../plans/delete-old-plans.ts";
import { deleteRunFolders } from "../runs/delete-run-folders.ts";
import { enforceRetention } from "../runs/retention.ts";
import { forgetOldWorkers } from "../runs/workers/remove-worker.ts";
import type { Store } from "../store/open-store.ts";

const firstMs = 60_000;
const everyMs = 60 * 60_000;
const dayMs = 86_400_000;

/** Deletes what is beyond the configured retention: a minute after the start, then every hour. */
export function startRetention(options: {
  store: Store;
  retention: Config["retention"];
  runsFolder: string;
  plansFolder: string;
  agentsFolder: string;
  log: Log;
  clock: () => Date;
}): AsyncDisposable {
  const { store, retention, runsFolder, plansFolder, agentsFolder, log, clock } = options;
  let work: Promise<void> = Promise.resolve();
  let timer = setTimeout(pass, firstMs);

  function pass(): void {
    work = enforceRetention(store.db, { ...retention, now: clock() })
      .then(async (deleted) => {
        await forgetOldWorkers(store.db);
        const plans = await deleteOldPlans(store.db, new Date(clock().getTime() - retention.days * dayMs));
        await deleteOldAgents(store.db, new Date(clock().getTime() - retention.days * dayMs), agentsFolder);
        if (plans > 0) await deletePlanFolders(store.db, plansFolder);
        if (deleted.runs > 0) await deleteRunFolders(store.db, runsFolder);
        if (deleted.runs + deleted.slots + deleted.blobs > 0) log.info(deleted, "retention: old records deleted");
      })
      .catch((error: unknown) => log.error({ err: error }, "retention failed; it is tried again in an hour"));
    timer = setTimeout(pass, everyMs);
  }
  return {
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      await work;
      clearTimeout(timer);
    },
  };
}
