import { deleteOldAgents } from "../agents/delete-old-agents.ts";
import { archiveRuns } from "../backup/archive-runs.ts";
import type { Config } from "../config.ts";
import type { Home } from "../home.ts";
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
  home: Pick<Home, "runs" | "archive" | "plans" | "agents">;
  log: Log;
  clock: () => Date;
}): AsyncDisposable {
  const { store, retention, home, log, clock } = options;
  const kept = { folder: home.archive, runsFolder: home.runs, clock };
  const archive = retention.archive ? (ids: readonly number[]) => archiveRuns(store.db, ids, kept) : undefined;
  let work: Promise<void> = Promise.resolve();
  let timer = setTimeout(pass, firstMs);

  function pass(): void {
    work = enforceRetention(store.db, { ...retention, archive, now: clock() })
      .then(async (deleted) => {
        await forgetOldWorkers(store.db);
        const plans = await deleteOldPlans(store.db, new Date(clock().getTime() - retention.days * dayMs));
        await deleteOldAgents(store.db, new Date(clock().getTime() - retention.days * dayMs), home.agents);
        if (plans > 0) await deletePlanFolders(store.db, home.plans);
        if (deleted.runs > 0) await deleteRunFolders(store.db, home.runs);
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
