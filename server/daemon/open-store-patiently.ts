import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import { openStore, type Store } from "../store/open-store.ts";

const longestWaitMs = 10_000;

/**
 * Opens the store. Where PostgreSQL does not answer it tries again until `signal` aborts, and `onProblem` hears each reason
 * (and null at the end); any other error is thrown.
 */
export async function openStorePatiently(
  options: { dataDir: string; databaseUrl: string | null; log: Log },
  { signal, onProblem }: { signal: AbortSignal; onProblem: (problem: string | null) => void },
): Promise<Store> {
  for (let waitMs = 500; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      const store = await openStore(options);
      onProblem(null);
      return store;
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "store_unavailable") throw error;
      onProblem(error.message);
      options.log.warn({ waitMs }, `${error.message}; trying again`);
      await delay(waitMs, undefined, { signal });
    }
  }
}
