import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { taskConditions } from "./list-tasks.ts";

/** What may be worked on now among those that waited for a task: what needs it, and its parent; nothing that a plan does itself. */
export function readyNeighbours(db: Db, { id, parent }: Row<"tasks">, limit: number): Promise<Row<"tasks">[]> {
  return db
    .selectFrom("tasks")
    .selectAll()
    .where((eb) =>
      eb.or([
        eb("id", "in", eb.selectFrom("task_dependencies").select("task_id").where("needs", "=", id)),
        ...(parent === null ? [] : [eb("id", "=", parent)]),
      ]),
    )
    .where((eb) => eb.and(taskConditions({ ready: true, openTo: "person" })))
    .orderBy("id")
    .limit(limit)
    .execute();
}
