import { sql } from "kysely";
import { findCycle } from "../find-cycle.ts";
import type { Db } from "../store/open-store.ts";

/** `from` waits for `to`: it needs it, or it is its parent. */
export type Edge = Readonly<{ from: number; to: number }>;

/**
 * A circle of waiting that goes through one of the new edges, from a task back to itself; undefined where there is none. `edges` may
 * be in the database already. A task waits for what it needs and for its own parts.
 */
export async function findTaskCycle(db: Db, edges: readonly Edge[]): Promise<number[] | undefined> {
  const ways = new Map<number, Set<number>>();
  const add = ({ from, to }: Edge) => {
    const own = ways.get(from) ?? new Set();
    ways.set(from, own.add(to));
  };
  for (const edge of edges) add(edge);
  for (const edge of await edgesFrom(db, [...new Set(edges.map(({ to }) => to))])) add(edge);
  return findCycle(new Set(edges.map(({ from }) => from)), (id) => ways.get(id) ?? []);
}

async function edgesFrom(db: Db, ids: readonly number[]): Promise<Edge[]> {
  const { rows } = await sql<Edge>`
    with recursive reached (id) as (
      select unnest(${ids}::bigint[])
      union
      select next.id from reached cross join lateral (
        select needs as id from task_dependencies where task_id = reached.id
        union all select id from tasks where parent = reached.id) as next
    )
    select task_id as "from", needs as "to" from task_dependencies where task_id in (select id from reached)
    union all select parent, id from tasks where parent in (select id from reached)`.execute(db);
  return rows;
}
