import type { Db } from "../store/open-store.ts";
import type { NewRow, TaskEvent } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import type { Actor } from "./actor.ts";

export type NewTaskEvent = Readonly<{ taskId: number; kind: TaskEvent; detail?: string | null | undefined }>;

const rowsAtOnce = 1_000;

/** Adds to the history of tasks, in the transaction that changes them. */
export async function addHistory(db: Db, by: Actor, events: readonly NewTaskEvent[]): Promise<void> {
  for (let at = 0; at < events.length; at += rowsAtOnce) {
    await db
      .insertInto("task_history")
      .values(events.slice(at, at + rowsAtOnce).map((event) => historyRow(by, event)))
      .execute();
  }
}

function historyRow(by: Actor, { taskId, kind, detail }: NewTaskEvent): NewRow<"task_history"> {
  return {
    task_id: taskId,
    kind,
    actor: storableText(by.actor),
    detail: detail === undefined || detail === null ? null : storableText(detail),
    trace_id: by.traceId,
  };
}
