import { sql } from "kysely";
import type { TaskCaller, TaskService, TaskView } from "../effects/services.ts";
import { formatRunId } from "../runs/run-id.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { Actor } from "../tasks/actor.ts";
import { addNote } from "../tasks/add-note.ts";
import { createTasks } from "../tasks/create-tasks.ts";
import { formatDue, parseDue } from "../tasks/due.ts";
import { finishTask } from "../tasks/finish-task.ts";
import { readLabels } from "../tasks/labels.ts";
import { listTasks } from "../tasks/list-tasks.ts";
import { formatTaskId, parseTaskId } from "../tasks/task-id.ts";
import { endedStates, liveStates } from "../tasks/task-states.ts";
import { updateTask } from "../tasks/update-task.ts";

const states = { live: liveStates, ended: endedStates, all: undefined } as const;

/** Tasks as the effects of jobs reach them: through the agents' door, in the transaction of the journal. */
export const taskService: TaskService = {
  async create(db, { tasks, by }) {
    const made = await createTasks(db, {
      tasks: tasks.map(({ forPerson, due, ...task }) => ({
        ...task,
        due: readDue(due),
        openTo: forPerson ? ("person" as const) : null,
      })),
      by: actorOf(by),
    });
    return made.map(({ id }) => formatTaskId(id));
  },
  async list(db, { state, label, limit = 50, ready, ...filter }) {
    const wanted = state === undefined && ready ? undefined : states[state ?? "live"];
    const labels = label === undefined ? [] : [label];
    const page = await listTasks(db, { ...filter, ready, state: wanted, labels, limit });
    return { tasks: await viewsOf(db, page.rows), cursor: page.cursor };
  },
  async find(db, handle) {
    const rows = await db.selectFrom("tasks").selectAll().where("id", "=", parseTaskId(handle)).execute();
    return (await viewsOf(db, rows))[0] ?? null;
  },
  async update(db, { task, change: { note, dependsOn, due, ...change }, by }) {
    const actor = actorOf(by);
    await updateTask(db, { id: task, change: { ...change, due: readDue(due) }, addDependencies: dependsOn, by: actor });
    if (note !== undefined) await addNote(db, { id: task, text: note, by: actor });
  },
  async complete(db, { task, state, result, by }) {
    await finishTask(db, { id: task, state, result, by: actorOf(by) });
  },
};

function actorOf({ job, runId, traceId }: TaskCaller): Actor {
  return { actor: `job ${job} ${formatRunId(runId)}`, traceId };
}

function readDue(written: string | null | undefined): Date | null | undefined {
  return typeof written === "string" ? parseDue(written) : written;
}

async function viewsOf(db: Db, rows: readonly Row<"tasks">[]): Promise<TaskView[]> {
  const needs = await db
    .selectFrom("task_dependencies")
    .selectAll()
    .where(sql<boolean>`task_id = any(${rows.map(({ id }) => id)}::bigint[])`)
    .orderBy("needs")
    .execute();
  const byTask = Map.groupBy(needs, (row) => row.task_id);
  return rows.map((row) => ({
    task: formatTaskId(row.id),
    title: row.title,
    body: row.body,
    state: row.state,
    urgency: row.urgency,
    priority: row.priority,
    complexity: row.complexity,
    labels: readLabels(row.labels),
    due: row.due === null ? null : formatDue(row.due),
    assignee: row.assignee,
    parent: row.parent === null ? null : formatTaskId(row.parent),
    needs: (byTask.get(row.id) ?? []).map((each) => formatTaskId(each.needs)),
    waits: row.waits_for > 0 || row.open_children > 0,
    forPerson: row.open_to === "person",
    result: row.result,
    createdBy: row.created_by,
  }));
}
