import { sql } from "kysely";
import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { formatTaskId, parseTaskId } from "./task-id.ts";

/** The task of a handle (`T12`, 12). Throws invalid_argument and task_not_found. */
export async function requireTask(db: Db, handle: string | number): Promise<Row<"tasks">> {
  const id = parseTaskId(handle);
  const task = await db.selectFrom("tasks").selectAll().where("id", "=", id).executeTakeFirst();
  if (task === undefined) throw noTask(id);
  return task;
}

/** A task, and whether somebody's lease on it runs, by the database's clock. */
export type HeldTask = Row<"tasks"> & Readonly<{ held: boolean }>;

/** As `requireTask`, and nobody else changes it until the transaction of `trx` ends. */
export async function lockTask(trx: Db, handle: string | number): Promise<HeldTask> {
  const id = parseTaskId(handle);
  const task = await trx
    .selectFrom("tasks")
    .selectAll()
    .select(sql<boolean>`state = 'in_progress' and coalesce(claimed_until > clock_timestamp(), false)`.as("held"))
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  if (task === undefined) throw noTask(id);
  return task;
}

/** What is said where a task is not there. */
export function noTask(id: number): UserError {
  return new UserError("task_not_found", `There is no task ${formatTaskId(id)}.`, { next: "task_list" });
}
