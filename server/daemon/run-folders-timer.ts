import type { Log } from "../log.ts";
import { deleteRunFolders } from "../runs/delete-run-folders.ts";
import type { Store } from "../store/open-store.ts";

const everyMs = 60 * 60_000;

/** Deletes, every hour, the folders here of runs whose records a daemon has deleted. */
export function keepRunFolders({
  store,
  runsFolder,
  log,
}: Readonly<{ store: Store; runsFolder: string; log: Log }>): AsyncDisposable {
  let work: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    work = deleteRunFolders(store.db, runsFolder).catch((error: unknown) =>
      log.error({ err: error }, "folders of old runs could not be deleted; it is tried again in an hour"),
    );
  }, everyMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await work;
    },
  };
}
