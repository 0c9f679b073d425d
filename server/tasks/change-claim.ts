import { sql } from "kysely";
import { UserError } from "../errors.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { defaultLeaseSeconds, leaseEnd } from "./lease.ts";
import { type Claimant, refuseOthers } from "./refuse-others.ts";
import { type HeldTask, lockTask } from "./require-task.ts";
import { addHistory } from "./task-history.ts";
import { formatTaskId } from "./task-id.ts";
import { sendTaskNotice } from "./task-notices.ts";

/** Gives a claimed task back. Throws `task_claimed`, `claim_lost`, and invalid_argument where nobody holds it. */
export async function releaseTask(
  db: Db,
  { id, ...who }: Claimant & Readonly<{ id: string | number }>,
): Promise<Row<"tasks">> {
  return inTransaction(db, async (trx) => {
    const task = await lockTask(trx, id);
    refuseUnclaimed(task);
    refuseOthers(task, who);
    const released = await trx
      .updateTable("tasks")
      .set({ state: "open", claimed_by: null, claimed_until: null, updated_at: sql<Date>`now()` })
      .where("id", "=", task.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await addHistory(trx, who.by, [{ taskId: task.id, kind: "released" }]);
    await sendTaskNotice(trx, { kind: "changed" });
    return released;
  });
}

/** Prolongs a claim from now on, also one that has run out while nobody else came. Throws as `releaseTask`. */
export async function renewClaim(
  db: Db,
  {
    id,
    leaseSeconds = defaultLeaseSeconds,
    ...who
  }: Claimant & Readonly<{ id: string | number; leaseSeconds?: number | undefined }>,
): Promise<Row<"tasks">> {
  return inTransaction(db, async (trx) => {
    const task = await lockTask(trx, id);
    refuseUnclaimed(task);
    refuseOthers(task, who);
    return trx
      .updateTable("tasks")
      .set({ claimed_until: leaseEnd(leaseSeconds) })
      .where("id", "=", task.id)
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}

function refuseUnclaimed({ id, state }: HeldTask): void {
  if (state === "in_progress") return;
  throw new UserError("invalid_argument", `Nobody holds ${formatTaskId(id)}: it is ${state}.`, {
    next: `task_update {"task": "${formatTaskId(id)}", "action": "claim"}`,
  });
}
