import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { changeTasks } from "./change-tasks.ts";
import type { Edge } from "./find-task-cycle.ts";
import { recount } from "./recount.ts";
import { refuseCycle } from "./refuse-cycle.ts";
import { type Claimant, refuseDoor, refuseOthers } from "./refuse-others.ts";
import { lockTask, requireTask } from "./require-task.ts";
import { fieldColumns, type TaskFields } from "./task-fields.ts";
import { addHistory } from "./task-history.ts";
import { formatTaskId, parseTaskId } from "./task-id.ts";
import { sendTaskNotice } from "./task-notices.ts";

type Handle = string | number;

export type TaskChange = { [K in keyof TaskFields]?: TaskFields[K] | undefined } & {
  /** Null takes it out of its parent. */
  parent?: Handle | null | undefined;
  runId?: number | null | undefined;
};

export type UpdateRequest = Claimant &
  Readonly<{
    id: Handle;
    change?: TaskChange | undefined;
    addDependencies?: readonly Handle[] | undefined;
    removeDependencies?: readonly Handle[] | undefined;
  }>;

/**
 * Changes what is said of a task, and what it needs. The history keeps what was there before; where nothing differs, nothing is
 * written. Throws `task_cycle`, `task_not_found`, `claim_lost`, `task_not_yours` and `invalid_argument`.
 */
export async function updateTask(db: Db, request: UpdateRequest): Promise<Row<"tasks">> {
  const { id, change = {}, addDependencies = [], removeDependencies = [], by, door, claim } = request;
  const { parent: newParent, runId, ...fields } = change;
  return changeTasks(db, async (trx) => {
    const { held, ...task } = await lockTask(trx, id);
    refuseDoor({ ...task, held }, door);
    if (claim !== undefined) refuseOthers({ ...task, held }, { by, door, claim });
    const parent = newParent === undefined || newParent === null ? newParent : (await requireTask(trx, newParent)).id;
    const columns = {
      ...fieldColumns(fields),
      ...(parent === undefined ? {} : { parent }),
      ...(runId === undefined ? {} : { run_id: runId }),
    };
    const before = differing(task, columns);
    const dependencies = await changeDependencies(
      trx,
      task.id,
      addDependencies.map(parseTaskId),
      removeDependencies.map(parseTaskId),
    );
    if (Object.keys(before).length === 0 && dependencies === undefined) return task;
    await trx
      .updateTable("tasks")
      .set({ ...columns, updated_at: sql<Date>`now()` })
      .where("id", "=", task.id)
      .execute();
    if (parent !== undefined && parent !== null) await refuseCycle(trx, [{ from: parent, to: task.id }]);
    await recount(
      trx,
      [task.id, task.parent, parent].filter((each) => typeof each === "number"),
    );
    await addHistory(trx, by, [
      { taskId: task.id, kind: "edited", detail: JSON.stringify({ ...before, ...dependencies }) },
    ]);
    await sendTaskNotice(trx, { kind: "changed" });
    return requireTask(trx, task.id);
  });
}

/** The values before of columns that change. */
function differing(task: Row<"tasks">, columns: Partial<Row<"tasks">>): Record<string, unknown> {
  const before = new Map<string, unknown>(Object.entries(task));
  const changed = Object.entries(columns).filter(
    ([name, value]) => JSON.stringify(before.get(name)) !== JSON.stringify(value),
  );
  return Object.fromEntries(changed.map(([name]) => [name, before.get(name)]));
}

/** Undefined where nothing changes; else what came and what went, as handles. */
async function changeDependencies(trx: Db, id: number, wanted: readonly number[], unwanted: readonly number[]) {
  for (const needs of wanted) await requireTask(trx, needs);
  const added: number[] = [];
  const removed: number[] = [];
  for (const needs of new Set(unwanted)) {
    const { numDeletedRows } = await trx
      .deleteFrom("task_dependencies")
      .where("task_id", "=", id)
      .where("needs", "=", needs)
      .executeTakeFirstOrThrow();
    if (numDeletedRows > 0n) removed.push(needs);
  }
  for (const needs of new Set(wanted)) {
    const { numInsertedOrUpdatedRows = 0n } = await trx
      .insertInto("task_dependencies")
      .values({ task_id: id, needs })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows > 0n) added.push(needs);
  }
  await refuseCycle(
    trx,
    added.map((to): Edge => ({ from: id, to })),
  );
  if (added.length === 0 && removed.length === 0) return undefined;
  return { needsAdded: added.map(formatTaskId), needsRemoved: removed.map(formatTaskId) };
}
