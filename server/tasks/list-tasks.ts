import { type Expression, type SqlBool, sql } from "kysely";
import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { Row, TaskState } from "../store/tables.ts";
import { parseTaskId } from "./task-id.ts";
import { liveStates } from "./task-states.ts";
import { isReady, workDue, workRank } from "./work-order.ts";

export type TaskFilter = Readonly<{
  /** Only what may be claimed now, by hosts, agents and jobs unless `openTo` says by whom. */
  ready?: boolean | undefined;
  state?: TaskState | readonly TaskState[] | undefined;
  /** Only with all of these. */
  labels?: readonly string[] | undefined;
  assignee?: string | undefined;
  planId?: number | undefined;
  /** Only the direct parts of that task; null for tasks that are no part of another. */
  parent?: string | number | null | undefined;
  /** Words that all stand in the title, the body or the result, in any case. */
  search?: string | undefined;
  dueBefore?: Date | undefined;
  source?: string | undefined;
  /** Whose work is listed as ready: a person's includes what is for a person. */
  openTo?: "agent" | "person" | undefined;
}>;

export type TaskPage = Readonly<{ limit: number; cursor?: string | null | undefined }>;

/** A page of tasks in the order in which work is taken: the urgent first. Finished ones stand in the same order. */
export async function listTasks(
  db: Db,
  { limit, cursor, ...filter }: TaskFilter & TaskPage,
): Promise<{ rows: Row<"tasks">[]; cursor: string | null }> {
  let query = db
    .selectFrom("tasks")
    .selectAll()
    .select(workRank.as("rank"))
    .where((eb) => eb.and(taskConditions(filter)))
    .orderBy(workRank)
    .orderBy(workDue)
    .orderBy("id")
    .limit(limit + 1);
  if (cursor) {
    const { rank, due, id } = parseCursor(cursor);
    query = query.where(
      sql<boolean>`(${workRank}, ${workDue}, tasks.id) > (${rank}::integer, ${due}::timestamptz, ${id}::bigint)`,
    );
  }
  const rows = await query.execute();
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    rows: rows.slice(0, limit).map(({ rank: _, ...row }) => row),
    cursor: last === undefined ? null : `${last.rank}.${last.due?.getTime() ?? ""}.${last.id}`,
  };
}

/** How many tasks fit, up to a bound. */
export async function countTasks(db: Db, filter: TaskFilter, atMost: number): Promise<number> {
  const some = db
    .selectFrom("tasks")
    .select("id")
    .where((eb) => eb.and(taskConditions(filter)))
    .limit(atMost);
  const { count } = await db
    .selectFrom(some.as("some"))
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** What a task must fulfil to be in the list. */
export function taskConditions(filter: TaskFilter): Expression<SqlBool>[] {
  const { ready, state, labels = [], assignee, planId, parent, search, dueBefore, source, openTo = "agent" } = filter;
  const states = ready && state === undefined ? liveStates : typeof state === "string" ? [state] : state;
  const words = (search ?? "").split(/\s+/).filter((word) => word !== "");
  return [
    ...(states === undefined ? [] : [sql<boolean>`tasks.state in (${sql.join(states.map((each) => sql.lit(each)))})`]),
    ...(ready ? [isReady, isFor(openTo)] : []),
    ...labels.map((label) => sql<boolean>`position(${JSON.stringify(label)} in tasks.labels) > 0`),
    ...(assignee === undefined ? [] : [sql<boolean>`tasks.assignee = ${assignee}`]),
    ...(planId === undefined ? [] : [sql<boolean>`tasks.plan_id = ${planId}`]),
    ...(parent === undefined
      ? []
      : [parent === null ? sql<boolean>`tasks.parent is null` : sql<boolean>`tasks.parent = ${parseTaskId(parent)}`]),
    ...words.map((word) => contains(word)),
    ...(dueBefore === undefined ? [] : [sql<boolean>`tasks.due < ${dueBefore}::timestamptz`]),
    ...(source === undefined ? [] : [sql<boolean>`tasks.source = ${source}`]),
  ];
}

function isFor(openTo: "agent" | "person"): Expression<SqlBool> {
  return openTo === "person"
    ? sql<boolean>`(tasks.plan_id is null or tasks.open_to is not null)`
    : sql<boolean>`((tasks.plan_id is null and tasks.open_to is distinct from 'person') or tasks.open_to = 'host')`;
}

function contains(word: string): Expression<SqlBool> {
  const pattern = `%${word.replace(/[\\%_]/g, "\\$&").replaceAll("\0", "")}%`;
  return sql<boolean>`(tasks.title ilike ${pattern} or tasks.body ilike ${pattern} or tasks.result ilike ${pattern})`;
}

function parseCursor(cursor: string): { rank: number; due: Date | "infinity"; id: number } {
  const [, rank, due, id] = /^(-?\d{1,6})\.(-?\d{0,16})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (rank === undefined || id === undefined) {
    throw new UserError("invalid_argument", "That is no cursor of task_list.", { next: "task_list without cursor" });
  }
  return {
    rank: Number(rank),
    due: due === undefined || due === "" ? "infinity" : new Date(Number(due)),
    id: Number(id),
  };
}
