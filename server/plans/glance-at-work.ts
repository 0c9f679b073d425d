import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { countTasks, listTasks, taskConditions } from "../tasks/list-tasks.ts";
import { workDue, workRank } from "../tasks/work-order.ts";
import { livePlanStates } from "./plan-states.ts";

export type WorkGlance = Readonly<{
  /** Tasks that a host or an agent may take now; `count` stops at `mostCounted`. */
  ready: Readonly<{ first: readonly Row<"tasks">[]; count: number }>;
  /** Ready tasks that only the person can finish. */
  forPerson: readonly Row<"tasks">[];
  /** Plans that a daemon works on, latest first. */
  plans: readonly Row<"plans">[];
  agents: Readonly<{ running: number; queued: number }>;
}>;

const mostCounted = 1_000;

/** What there is to do and who is at it, in lists of at most `shown`. */
export async function glanceAtWork(db: Db, shown: number): Promise<WorkGlance> {
  const [ready, count, forPerson, plans, agents] = await Promise.all([
    listTasks(db, { ready: true, limit: shown }),
    countTasks(db, { ready: true }, mostCounted),
    db
      .selectFrom("tasks")
      .selectAll()
      .where((eb) => eb.and(taskConditions({ ready: true, openTo: "person" })))
      .where("open_to", "=", "person")
      .orderBy(workRank)
      .orderBy(workDue)
      .orderBy("id")
      .limit(shown)
      .execute(),
    db
      .selectFrom("plans")
      .selectAll()
      .where("state", "in", [...livePlanStates])
      .orderBy("id", "desc")
      .limit(shown)
      .execute(),
    // One count each, so that the index of either state answers it.
    sql<{ running: number; queued: number }>`
      select (select count(*)::integer from agents where state = 'running') as running,
        (select count(*)::integer from agents where state = 'queued') as queued`.execute(db),
  ]);
  return {
    ready: { first: ready.rows, count },
    forPerson,
    plans,
    agents: agents.rows[0] ?? { running: 0, queued: 0 },
  };
}
