import { sql } from "kysely";
import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { changeTasks } from "./change-tasks.ts";
import { recountWaiting } from "./recount.ts";
import { type Claimant, refuseDoor, refuseOthers } from "./refuse-others.ts";
import { type HeldTask, lockTask } from "./require-task.ts";
import { checkedText } from "./task-fields.ts";
import { addHistory } from "./task-history.ts";
import { formatTaskId } from "./task-id.ts";
import { sendTaskNotice } from "./task-notices.ts";
import { type EndedState, hasEnded } from "./task-states.ts";
import { waitingText } from "./waiting-text.ts";

export type FinishRequest = Claimant &
  Readonly<{
    id: string | number;
    state: EndedState;
    /** Markdown: what came of it, or why not. */
    result: string | null;
  }>;

/**
 * Ends a task; `done` makes what needed it ready in the same transaction, and cancelling or skipping ends its parts, too. Ending it
 * twice in the same way changes nothing. Throws `task_ended`, `task_claimed`, `claim_lost`, `task_waiting` (what it needs or a part of
 * it is not done) and `task_not_yours`.
 */
export async function finishTask(db: Db, { id, state, result, ...who }: FinishRequest): Promise<Row<"tasks">> {
  return changeTasks(db, async (trx) => {
    const { held, ...task } = await lockTask(trx, id);
    refuseDoor({ ...task, held }, who.door);
    if (task.state === state) return task;
    if (hasEnded(task.state)) {
      throw new UserError("task_ended", `${formatTaskId(task.id)} is ${task.state} already.`, {
        next: `task_update {"task": "${formatTaskId(task.id)}", "action": "reopen"}`,
      });
    }
    refuseOthers({ ...task, held }, who);
    if (state === "done") await refuseUnfinished(trx, { ...task, held }, who);
    const text = checkedText(result);
    const parts = state === "cancelled" || state === "skipped" ? await livePartsOf(trx, task.id) : [];
    await endTasks(trx, [task.id], state, text);
    await endTasks(trx, parts, state, null);
    await recountWaiting(trx, [task.id, ...parts]);
    await addHistory(trx, who.by, [
      { taskId: task.id, kind: state, detail: text },
      ...parts.map((taskId) => ({ taskId, kind: state, detail: `with ${formatTaskId(task.id)}` })),
    ]);
    for (const taskId of [task.id, ...parts]) await sendTaskNotice(trx, { kind: "ended", taskId });
    return trx.selectFrom("tasks").selectAll().where("id", "=", task.id).executeTakeFirstOrThrow();
  });
}

/** A person may know better than the order says; sub-tasks that are open would be lost sight of by anybody. */
async function refuseUnfinished(trx: Db, task: HeldTask, { door = "agent" }: Claimant): Promise<void> {
  if (door === "plan" || door === "daemon" || (task.open_children === 0 && (task.waits_for === 0 || door === "person")))
    return;
  throw new UserError("task_waiting", await waitingText(trx, task), {
    next: "end these first, or cancel what is not needed any more",
  });
}

async function livePartsOf(trx: Db, id: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    with recursive part (id, state) as (
      select id, state from tasks where parent = ${id}
      union all select t.id, t.state from tasks t join part on t.parent = part.id
    ) select id from part where state in ('open', 'in_progress') order by id`.execute(trx);
  return rows.map((row) => row.id);
}

async function endTasks(trx: Db, ids: readonly number[], state: EndedState, result: string | null): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .updateTable("tasks")
    .set({
      state,
      result,
      claimed_by: null,
      claimed_until: null,
      finished_at: sql<Date>`now()`,
      updated_at: sql<Date>`now()`,
    })
    .where("id", "in", ids)
    .execute();
}
