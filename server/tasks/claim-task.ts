import { type Expression, type SqlBool, sql } from "kysely";
import { UserError } from "../errors.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import type { Actor, Door } from "./actor.ts";
import { defaultLeaseSeconds, leaseEnd } from "./lease.ts";
import { type TaskFilter, taskConditions } from "./list-tasks.ts";
import { heldByOther, refuseDoor } from "./refuse-others.ts";
import { lockTask } from "./require-task.ts";
import { addHistory } from "./task-history.ts";
import { formatTaskId, parseTaskId } from "./task-id.ts";
import { sendTaskNotice } from "./task-notices.ts";
import { hasEnded } from "./task-states.ts";
import { waitingText } from "./waiting-text.ts";
import { workDue, workRank } from "./work-order.ts";

export type ClaimRequest = Readonly<{
  /** That task, or else the first ready one that fits `filter` and is not assigned to somebody else. */
  id?: string | number | undefined;
  filter?: Omit<TaskFilter, "ready" | "state" | "openTo"> | undefined;
  by: Actor;
  door?: Door | undefined;
  leaseSeconds?: number | undefined;
}>;

/**
 * Takes a task for a while: nobody else gets it until the lease ends. Its `claim` is the fencing token that finishing names. Undefined
 * where no ready task fits. With `id` it throws `task_not_found`, `task_ended`, `task_claimed`, `task_waiting` or `task_not_yours`.
 */
export async function claimTask(db: Db, request: ClaimRequest): Promise<Row<"tasks"> | undefined> {
  return request.id === undefined ? claimNext(db, request) : claimThat(db, request.id, request);
}

async function claimNext(
  db: Db,
  { filter = {}, by, door, leaseSeconds = defaultLeaseSeconds }: ClaimRequest,
): Promise<Row<"tasks"> | undefined> {
  const openTo = door === "person" ? "person" : "agent";
  const actor = storableText(by.actor);
  // One statement: rows that another claim holds are passed over, so claims never wait for each other.
  return db
    .with("picked", (cte) =>
      cte
        .selectFrom("tasks")
        .select("tasks.id")
        .where((eb) => eb.and(taskConditions({ ...filter, ready: true, openTo })))
        .$if(filter.assignee === undefined, (query) => query.where(isFreeFor(actor)))
        .orderBy(workRank)
        .orderBy(workDue)
        .orderBy("tasks.id")
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    .with("claimed", (cte) =>
      cte
        .updateTable("tasks")
        .from("picked")
        .set((eb) => ({
          state: "in_progress",
          claimed_by: actor,
          claim: eb("tasks.claim", "+", 1),
          claimed_until: leaseEnd(leaseSeconds),
          updated_at: sql<Date>`now()`,
        }))
        .whereRef("tasks.id", "=", "picked.id")
        .returningAll("tasks"),
    )
    .with("told", (cte) =>
      cte
        .insertInto("task_history")
        .columns(["task_id", "kind", "actor", "trace_id"])
        .expression((eb) =>
          eb
            .selectFrom("claimed")
            .select([
              "claimed.id",
              sql<"claimed">`'claimed'`.as("kind"),
              sql<string>`${actor}`.as("actor"),
              sql<string | null>`${by.traceId}::text`.as("trace_id"),
            ]),
        ),
    )
    .selectFrom("claimed")
    .selectAll()
    .executeTakeFirst();
}

/** An assignee is an actor's name, with or without its version: `gemini-cli` for `gemini-cli 0.9.0`. */
function isFreeFor(actor: string): Expression<SqlBool> {
  const name = actor.toLowerCase();
  return sql<boolean>`(tasks.assignee is null or starts_with(${`${name} `}, lower(tasks.assignee) || ' '))`;
}

function claimThat(
  db: Db,
  handle: string | number,
  { by, door, leaseSeconds = defaultLeaseSeconds }: ClaimRequest,
): Promise<Row<"tasks">> {
  const id = parseTaskId(handle);
  return inTransaction(db, async (trx) => {
    const task = await lockTask(trx, id);
    refuseDoor(task, door);
    if (hasEnded(task.state)) {
      throw new UserError("task_ended", `${formatTaskId(id)} is ${task.state} already.`, {
        next: 'task_list {"ready": true} shows what is free',
      });
    }
    if (task.held) throw heldByOther(task);
    if (task.waits_for > 0 || task.open_children > 0) {
      throw new UserError("task_waiting", await waitingText(trx, task), {
        next: 'task_list {"ready": true} shows what is free',
      });
    }
    const claimed = await trx
      .updateTable("tasks")
      .set((eb) => ({
        state: "in_progress",
        claimed_by: storableText(by.actor),
        claim: eb("claim", "+", 1),
        claimed_until: leaseEnd(leaseSeconds),
        updated_at: sql<Date>`now()`,
      }))
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await addHistory(trx, by, [{ taskId: id, kind: "claimed" }]);
    await sendTaskNotice(trx, { kind: "changed" });
    return claimed;
  });
}
