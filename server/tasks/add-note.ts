import { sql } from "kysely";
import { UserError } from "../errors.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { Actor } from "./actor.ts";
import { noTask } from "./require-task.ts";
import { checkedText } from "./task-fields.ts";
import { addHistory } from "./task-history.ts";
import { parseTaskId } from "./task-id.ts";
import { sendTaskNotice } from "./task-notices.ts";

/** Adds a note to a task's history, whoever holds it and whatever its state. Throws task_not_found and invalid_argument. */
export async function addNote(
  db: Db,
  { id, text, by }: Readonly<{ id: string | number; text: string; by: Actor }>,
): Promise<Row<"tasks">> {
  const taskId = parseTaskId(id);
  const detail = checkedText(text);
  if (detail === null) throw new UserError("invalid_argument", "The note is empty.");
  return inTransaction(db, async (trx) => {
    const task = await trx
      .updateTable("tasks")
      .set({ updated_at: sql<Date>`now()` })
      .where("id", "=", taskId)
      .returningAll()
      .executeTakeFirst();
    if (task === undefined) throw noTask(taskId);
    await addHistory(trx, by, [{ taskId, kind: "note", detail }]);
    await sendTaskNotice(trx, { kind: "changed" });
    return task;
  });
}
