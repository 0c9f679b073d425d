import { sql } from "kysely";
import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { changeTasks } from "./change-tasks.ts";
import { recount, recountWaiting } from "./recount.ts";
import { type Claimant, refuseDoor } from "./refuse-others.ts";
import { lockTask } from "./require-task.ts";
import { addHistory } from "./task-history.ts";
import { formatTaskId } from "./task-id.ts";
import { sendTaskNotice } from "./task-notices.ts";
import { hasEnded } from "./task-states.ts";

/** Opens an ended task again: what needs it waits again. Its result stays in the history. Throws invalid_argument where it has not ended. */
export async function reopenTask(
  db: Db,
  { id, reason, by, door }: Claimant & Readonly<{ id: string | number; reason?: string | null | undefined }>,
): Promise<Row<"tasks">> {
  return changeTasks(db, async (trx) => {
    const task = await lockTask(trx, id);
    refuseDoor(task, door);
    if (!hasEnded(task.state)) {
      throw new UserError("invalid_argument", `${formatTaskId(task.id)} has not ended: it is ${task.state}.`);
    }
    await trx
      .updateTable("tasks")
      .set({ state: "open", result: null, finished_at: null, updated_at: sql<Date>`now()` })
      .where("id", "=", task.id)
      .execute();
    await recount(trx, [task.id]);
    await recountWaiting(trx, [task.id]);
    await addHistory(trx, by, [{ taskId: task.id, kind: "reopened", detail: reason }]);
    await sendTaskNotice(trx, { kind: "changed" });
    return trx.selectFrom("tasks").selectAll().where("id", "=", task.id).executeTakeFirstOrThrow();
  });
}
