import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { formatDue } from "./due.ts";
import { readLabels } from "./labels.ts";
import { type TaskFilter, taskConditions } from "./list-tasks.ts";
import { writeMarkdown } from "./markdown.ts";
import type { FileTask } from "./task-file.ts";
import { formatTaskId } from "./task-id.ts";

/** Tasks that fit, as a file in the order in which they were made. What a Markdown file leaves out are notes. */
export async function exportTasks(
  db: Db,
  { format, filter }: Readonly<{ format: "markdown" | "json"; filter: TaskFilter }>,
): Promise<{ text: string; count: number }> {
  const rows = await db
    .selectFrom("tasks")
    .selectAll()
    .where((eb) => eb.and(taskConditions(filter)))
    .orderBy("id")
    .execute();
  const ids = rows.map(({ id }) => id);
  const needs = Map.groupBy(await dependenciesOf(db, ids), (row) => row.task_id);
  const notes = format === "json" ? Map.groupBy(await notesOf(db, ids), (row) => row.task_id) : new Map();
  const tasks = rows.map((row): FileTask => toFileTask(row, needs.get(row.id) ?? [], notes.get(row.id) ?? []));
  const text =
    format === "markdown"
      ? writeMarkdown(tasks)
      : `${JSON.stringify({ format: "jobrunner-tasks/1", tasks }, null, 2)}\n`;
  return { text, count: tasks.length };
}

function toFileTask(
  row: Row<"tasks">,
  needs: readonly Row<"task_dependencies">[],
  notes: readonly Row<"task_history">[],
): FileTask {
  return {
    key: formatTaskId(row.id),
    title: row.title,
    state: row.state,
    body: row.body,
    result: row.result,
    parent: row.parent === null ? null : formatTaskId(row.parent),
    needs: needs.map((each) => formatTaskId(each.needs)),
    urgency: row.urgency,
    priority: row.priority,
    complexity: row.complexity,
    labels: readLabels(row.labels),
    due: row.due === null ? null : formatDue(row.due),
    assignee: row.assignee,
    person: row.open_to === "person",
    notes: notes.map(({ at, actor, detail }) => ({ at: at.toISOString(), by: actor, text: detail ?? "" })),
  };
}

function dependenciesOf(db: Db, ids: readonly number[]): Promise<Row<"task_dependencies">[]> {
  return db
    .selectFrom("task_dependencies")
    .selectAll()
    .where(sql<boolean>`task_id = any(${ids}::bigint[])`)
    .orderBy("task_id")
    .orderBy("needs")
    .execute();
}

function notesOf(db: Db, ids: readonly number[]): Promise<Row<"task_history">[]> {
  return db
    .selectFrom("task_history")
    .selectAll()
    .where("kind", "=", "note")
    .where(sql<boolean>`task_id = any(${ids}::bigint[])`)
    .orderBy("id")
    .execute();
}
