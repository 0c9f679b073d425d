import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { type TaskFilter, taskConditions } from "./list-tasks.ts";

/** What they may work on now among those that waited for a task: what needs it, and its parent. */
export function readyNeighbours(
  db: Db,
  { id, parent }: Row<"tasks">,
  { limit, openTo }: Readonly<{ limit: number }> & Pick<TaskFilter, "openTo">,
): Promise<Row<"tasks">[]> {
  return db
    .selectFrom("tasks")
    .selectAll()
    .where((eb) =>
      eb.or([
        eb("id", "in", eb.selectFrom("task_dependencies").select("task_id").where("needs", "=", id)),
        ...(parent === null ? [] : [eb("id", "=", parent)]),
      ]),
    )
    .where((eb) => eb.and(taskConditions({ ready: true, openTo })))
    .orderBy("id")
    .limit(limit)
    .execute();
}
