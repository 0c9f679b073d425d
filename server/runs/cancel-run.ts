import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { inTransaction } from "./in-transaction.ts";
import { databaseTime } from "./queue/database-time.ts";
import { sendNotice } from "./run-notices.ts";

export type CancelRequest = Readonly<{
  runId: number;
  /** Who asked: `person`, `schedule`, or the host's name and version. */
  by: string;
  now?: Date | undefined;
}>;

/**
 * Cancels a queued run at once; a running one gets the request, which its worker obeys in well under a second.
 * Returns the run as it is now, or undefined where it was neither queued nor running.
 */
export async function cancelRun(db: Db, { runId, by, now }: CancelRequest): Promise<Row<"runs"> | undefined> {
  return inTransaction(db, async (trx) => {
    const at = databaseTime(now);
    const queued = await trx
      .updateTable("runs")
      .set({ state: "cancelled", cancel_requested_at: at, cancel_requested_by: by, finished_at: at })
      .where("id", "=", runId)
      .where("state", "=", "queued")
      .returningAll()
      .executeTakeFirst();
    if (queued !== undefined) {
      await sendNotice(trx, { kind: "ended", runId });
      return queued;
    }
    const running = await trx
      .updateTable("runs")
      .set((eb) => ({
        cancel_requested_at: eb.fn.coalesce("cancel_requested_at", at),
        cancel_requested_by: eb.fn.coalesce("cancel_requested_by", eb.val(by)),
      }))
      .where("id", "=", runId)
      .where("state", "=", "running")
      .returningAll()
      .executeTakeFirst();
    if (running !== undefined) await sendNotice(trx, { kind: "cancel", runId });
    return running;
  });
}
