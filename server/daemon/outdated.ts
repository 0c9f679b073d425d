import type { Log } from "../log.ts";
import { storeIsNewer } from "../store/store-is-newer.ts";

/** A promise that rejects with `store_newer` once what it follows tells of a newer migration. Nobody has to wait for it. */
export function rejectsWhenOutdated(log: Log): { promise: Promise<never>; follow(migration: Promise<string>): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  return {
    promise,
    follow(migration) {
      void migration.then((name) => {
        const error = storeIsNewer(name);
        log.error(`this program must end: ${error.message}`);
        reject(error);
      });
    },
  };
}
