import { sql } from "kysely";
import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { NewRow, Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import type { Actor } from "./actor.ts";
import { changeTasks } from "./change-tasks.ts";
import type { NewTask } from "./new-task.ts";
import { type PlacedTask, placeTasks } from "./place-tasks.ts";
import { recount } from "./recount.ts";
import { refuseCycle } from "./refuse-cycle.ts";
import { noTask } from "./require-task.ts";
import { checkedText, fieldColumns } from "./task-fields.ts";
import { addHistory } from "./task-history.ts";
import { sendTaskNotice } from "./task-notices.ts";
import { hasEnded } from "./task-states.ts";
import { quoteTitle } from "./task-title.ts";

/** How many rows one statement inserts: PostgreSQL takes 65,535 values. */
const rowsAtOnce = 1_000;

/**
 * Makes a whole tree of tasks at once, or none of it, and gives them back in the order given. Throws `task_cycle`, which names the
 * tasks, `task_not_found` for a parent or dependency that is not there, and `invalid_argument`.
 */
export async function createTasks(
  db: Db,
  { tasks, by }: Readonly<{ tasks: readonly NewTask[]; by: Actor }>,
): Promise<Row<"tasks">[]> {
  if (tasks.length === 0) return [];
  return changeTasks(db, async (trx) => {
    const existing = await tasksBySource(trx, tasks);
    const isOld = ({ source }: NewTask) => existing.has(source ?? "");
    const ids = await nextIds(trx, tasks.filter((task) => !isOld(task)).length);
    const numbered = tasks.map((task) => ({ task, id: existing.get(task.source ?? "") ?? ids.shift() ?? 0 }));
    const fresh = placeTasks(numbered).filter(({ task }) => !isOld(task));
    await insertTasks(trx, fresh, by);
    await linkTasks(trx, fresh);
    await addHistory(
      trx,
      by,
      fresh.flatMap(({ task, id }) => [
        { taskId: id, kind: "created" as const },
        ...(task.state === undefined || task.state === "open" ? [] : [{ taskId: id, kind: task.state }]),
      ]),
    );
    if (fresh.length > 0) await sendTaskNotice(trx, { kind: "changed" });
    return readInOrder(
      trx,
      numbered.map(({ id }) => id),
    );
  });
}

async function tasksBySource(trx: Db, tasks: readonly NewTask[]): Promise<Map<string, number>> {
  const sources = tasks.flatMap(({ source }) => source ?? []);
  if (new Set(sources).size < sources.length) {
    throw new UserError("invalid_argument", "Two tasks of one call have the same source.");
  }
  if (sources.length === 0) return new Map();
  const { rows } = await sql<{ source: string; id: number }>`
    select source, id from tasks where source = any(${sources}::text[])`.execute(trx);
  return new Map(rows.map(({ source, id }) => [source, id]));
}

/** Numbers ahead of their rows, since these refer to each other. */
async function nextIds(trx: Db, count: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select nextval(pg_get_serial_sequence('tasks', 'id')) as id from generate_series(1, ${count}::integer)`.execute(
    trx,
  );
  return rows.map(({ id }) => id).sort((a, b) => a - b);
}

async function insertTasks(trx: Db, placed: readonly PlacedTask[], by: Actor): Promise<void> {
  const rows = placed.map((each) => newRow(each, by));
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    await trx
      .insertInto("tasks")
      .values(rows.slice(at, at + rowsAtOnce))
      .execute();
  }
}

function newRow({ task, id, parent }: PlacedTask, by: Actor): NewRow<"tasks"> {
  const { planId, node, runId, source, state = "open", result = null, ...fields } = task;
  return {
    body: null,
    priority: 0,
    urgency: "normal",
    complexity: "medium",
    labels: "[]",
    due: null,
    assignee: null,
    open_to: null,
    ...fieldColumns(fields),
    id,
    title: fieldColumns({ title: task.title }).title ?? "",
    parent,
    plan_id: planId ?? null,
    node: node ?? null,
    run_id: runId ?? null,
    source: source ?? null,
    state,
    result: checkedText(result),
    created_by: storableText(by.actor),
    finished_at: hasEnded(state) ? new Date() : null,
  };
}

async function linkTasks(trx: Db, placed: readonly PlacedTask[]): Promise<void> {
  const own = new Set(placed.map(({ id }) => id));
  const needs = placed.flatMap(({ id, needs }) => needs.map((to) => ({ from: id, to })));
  const parts = placed.flatMap(({ id, parent }) => (parent === null ? [] : [{ from: parent, to: id }]));
  await requireAll(
    trx,
    [...needs.map(({ to }) => to), ...parts.map(({ from }) => from)].filter((id) => !own.has(id)),
  );
  if (needs.length > 0) {
    await sql`insert into task_dependencies (task_id, needs)
      select * from unnest(${needs.map(({ from }) => from)}::bigint[], ${needs.map(({ to }) => to)}::bigint[])`.execute(
      trx,
    );
  }
  // New ones are called by their keys, since their numbers are gone once this is refused.
  const names = new Map(placed.map(({ task, id }) => [id, nameOf(task)]));
  await refuseCycle(trx, [...needs, ...parts], (id) => names.get(id));
  await recount(trx, [...new Set([...needs, ...parts].map(({ from }) => from))]);
}

function nameOf({ key, title }: NewTask): string {
  return key === undefined ? quoteTitle(title) : `${quoteTitle(key).slice(1, -1)} ${quoteTitle(title)}`;
}

async function requireAll(trx: Db, ids: readonly number[]): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    select wanted.id from unnest(${ids}::bigint[]) as wanted (id)
    where not exists (select 1 from tasks where tasks.id = wanted.id) limit 1`.execute(trx);
  const missing = rows[0];
  if (missing !== undefined) throw noTask(missing.id);
}

async function readInOrder(trx: Db, ids: readonly number[]): Promise<Row<"tasks">[]> {
  const rows = await trx.selectFrom("tasks").selectAll().where(sql<boolean>`id = any(${ids}::bigint[])`).execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}
