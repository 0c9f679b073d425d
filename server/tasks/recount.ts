import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";

/** Sets how many unfinished tasks each of these waits for, from the rows themselves. Only within `changeTasks`. */
export async function recount(trx: Db, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    update tasks set
      waits_for = (select count(*) from task_dependencies d join tasks n on n.id = d.needs
        where d.task_id = tasks.id and n.state <> 'done'),
      open_children = (select count(*) from tasks c where c.parent = tasks.id and c.state in ('open', 'in_progress'))
    where id = any(${ids}::bigint[])`.execute(trx);
}

/** As `recount`, for whatever waits for these tasks. */
export async function recountWaiting(trx: Db, ids: readonly number[]): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    select task_id as id from task_dependencies where needs = any(${ids}::bigint[])
    union select parent from tasks where id = any(${ids}::bigint[]) and parent is not null`.execute(trx);
  await recount(
    trx,
    rows.map(({ id }) => id),
  );
}
