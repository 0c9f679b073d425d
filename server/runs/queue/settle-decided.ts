import { databaseTime } from "../../store/database-time.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { raiseAlert } from "../alerts.ts";
import { failureAlert } from "../failure-alert.ts";
import { sendNotice } from "../run-notices.ts";
import { startFollowers } from "../triggers/start-followers.ts";
import { wakeParent } from "../wake-parent.ts";

/** Lets a run that needed a decision go on from its journal, or ends it for the reason that stopped it. */
export async function settleDecided(trx: Db, run: Row<"runs">, state: "queued" | "failed"): Promise<void> {
  const now = databaseTime(undefined);
  const goesOn = state === "queued";
  const changed = await trx
    .updateTable("runs")
    .set({ state, ...(goesOn ? { run_at: now, resumes: true, error: null } : { finished_at: now, dead: true }) })
    .where("id", "=", run.id)
    .where("state", "=", "needs_decision")
    .returningAll()
    .executeTakeFirst();
  if (changed === undefined) return;
  await trx
    .updateTable("attempts")
    .set(goesOn ? { state: "suspended" } : { state, ended_at: now })
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .execute();
  if (goesOn) return sendNotice(trx, { kind: "queued" });
  await raiseAlert(trx, { ...failureAlert(changed), runId: run.id });
  await wakeParent(trx, changed);
  await startFollowers(trx, changed);
  await sendNotice(trx, { kind: "ended", runId: run.id });
}
