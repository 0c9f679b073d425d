import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import { type Edge, findTaskCycle } from "./find-task-cycle.ts";
import { formatTaskId } from "./task-id.ts";
import { quoteTitle } from "./task-title.ts";

/** Most tasks of a circle that are named. */
const named = 12;

/** How tasks that are not in the database are called in messages. */
export type NameOf = (id: number) => string | undefined;

/** Throws task_cycle, which names every task of it, where the new edges close a circle of waiting. */
export async function refuseCycle(db: Db, edges: readonly Edge[], nameOf: NameOf = () => undefined): Promise<void> {
  if (edges.length === 0) return;
  const cycle = await findTaskCycle(db, edges);
  if (cycle === undefined) return;
  const shown = cycle.length <= named ? cycle : [...cycle.slice(0, named - 1), ...cycle.slice(-1)];
  const rows = await db.selectFrom("tasks").select(["id", "title"]).where("id", "in", shown).execute();
  const titles = new Map(rows.map(({ id, title }) => [id, `${formatTaskId(id)} ${quoteTitle(title)}`]));
  const names = shown.map((id) => nameOf(id) ?? titles.get(id) ?? formatTaskId(id));
  if (shown.length < cycle.length) names.splice(-1, 0, `${cycle.length - shown.length} more`);
  const why = "A task waits for what it depends on and for its own sub-tasks.";
  throw new UserError("task_cycle", `These tasks would wait for each other: ${names.join(" → ")}. ${why}`, {
    next: "leave out one of these dependencies",
  });
}
