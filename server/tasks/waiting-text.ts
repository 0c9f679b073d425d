import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { formatTaskId } from "./task-id.ts";
import { liveStates } from "./task-states.ts";
import { quoteTitle } from "./task-title.ts";

const shown = 5;

/** What a task waits for, in a sentence: dependencies that are not done (a failed one stands in the way, too), and open sub-tasks. */
export async function waitingText(db: Db, task: Row<"tasks">): Promise<string> {
  const needs = await db
    .selectFrom("task_dependencies as d")
    .innerJoin("tasks as n", "n.id", "d.needs")
    .select(["n.id", "n.title", "n.state"])
    .where("d.task_id", "=", task.id)
    .where("n.state", "!=", "done")
    .orderBy("n.id")
    .limit(shown)
    .execute();
  const parts = await db
    .selectFrom("tasks")
    .select(["id", "title", "state"])
    .where("parent", "=", task.id)
    .where("state", "in", liveStates)
    .orderBy("id")
    .limit(shown)
    .execute();
  const names = [...needs, ...parts].map(
    ({ id, title, state }) => `${formatTaskId(id)} ${quoteTitle(title)} (${state})`,
  );
  const more = task.waits_for + task.open_children - names.length;
  return `${formatTaskId(task.id)} waits for ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
}
