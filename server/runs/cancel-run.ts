import { databaseTime } from "../store/database-time.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { resolveAlert } from "./alerts.ts";
import { questionAlertKey } from "./failure-alert.ts";
import { sendNotice } from "./run-notices.ts";
import { startFollowers } from "./triggers/start-followers.ts";
import { wakeParent } from "./wake-parent.ts";

export type CancelRequest = Readonly<{
  runId: number;
  /** Who asked: `person`, `schedule`, or the host's name and version. */
  by: string;
  now?: Date | undefined;
}>;

/**
 * Cancels a run at once where no process works on it; a running one gets the request, which its worker obeys in well under a
 * second. Returns the run as it is now, or undefined where it has ended.
 */
export async function cancelRun(db: Db, { runId, by, now }: CancelRequest): Promise<Row<"runs"> | undefined> {
  return inTransaction(db, async (trx) => {
    const at = databaseTime(now);
    const idle = await trx
      .updateTable("runs")
      .set({ state: "cancelled", cancel_requested_at: at, cancel_requested_by: by, finished_at: at })
      .where("id", "=", runId)
      .where("state", "in", ["queued", "suspended", "needs_decision"])
      .returningAll()
      .executeTakeFirst();
    if (idle !== undefined) {
      await trx
        .updateTable("attempts")
        .set({ state: "cancelled", ended_at: at })
        .where("run_id", "=", runId)
        .where("ended_at", "is", null)
        .execute();
      await resolveAlert(trx, { key: questionAlertKey(runId), now });
      await wakeParent(trx, idle, now);
      await startFollowers(trx, idle, now);
      await sendNotice(trx, { kind: "ended", runId });
      return idle;
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
