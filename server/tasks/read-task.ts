import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { requireTask } from "./require-task.ts";

/** Enough of another task to name it. */
export type NamedTask = Pick<Row<"tasks">, "id" | "title" | "state">;

export type TaskWhole = Readonly<{
  task: Row<"tasks">;
  parent: NamedTask | null;
  needs: readonly NamedTask[];
  neededBy: readonly NamedTask[];
  parts: readonly NamedTask[];
  /** The last ones, in order. */
  history: readonly Row<"task_history">[];
  /** How many came before these. */
  earlier: number;
}>;

const named = ["tasks.id", "tasks.title", "tasks.state"] as const;

/** A task with its neighbours and the end of its history. Throws task_not_found and invalid_argument. */
export async function readTask(
  db: Db,
  handle: string | number,
  { history: last = 30 }: Readonly<{ history?: number }> = {},
): Promise<TaskWhole> {
  const task = await requireTask(db, handle);
  const [parent] =
    task.parent === null ? [] : await db.selectFrom("tasks").select(named).where("id", "=", task.parent).execute();
  const needs = await db
    .selectFrom("task_dependencies as d")
    .innerJoin("tasks", "tasks.id", "d.needs")
    .select(named)
    .where("d.task_id", "=", task.id)
    .orderBy("tasks.id")
    .execute();
  const neededBy = await db
    .selectFrom("task_dependencies as d")
    .innerJoin("tasks", "tasks.id", "d.task_id")
    .select(named)
    .where("d.needs", "=", task.id)
    .orderBy("tasks.id")
    .execute();
  const parts = await db.selectFrom("tasks").select(named).where("parent", "=", task.id).orderBy("id").execute();
  const { count } = await db
    .selectFrom("task_history")
    .select((eb) => eb.fn.countAll<string>().as("count"))
    .where("task_id", "=", task.id)
    .executeTakeFirstOrThrow();
  const history = await db
    .selectFrom("task_history")
    .selectAll()
    .where("task_id", "=", task.id)
    .orderBy("id", "desc")
    .limit(last)
    .execute();
  history.reverse();
  return { task, parent: parent ?? null, needs, neededBy, parts, history, earlier: Number(count) - history.length };
}
