import { sql } from "kysely";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";

/**
 * Runs `work` in a transaction while nobody else changes what waits for what: counts of unfinished tasks stay exact, no two changes
 * close a circle that neither sees, and no order of locks can end in a deadlock. Claims do not wait for it.
 */
export function changeTasks<T>(db: Db, work: (trx: Db) => Promise<T>): Promise<T> {
  return inTransaction(db, async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('jobrunner.tasks'))`.execute(trx);
    return work(trx);
  });
}
