import { randomUUID } from "node:crypto";
import { UserError } from "../../errors.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import type { Actor } from "../actor.ts";
import { changeTasks } from "../change-tasks.ts";
import { lockTask } from "../require-task.ts";
import { addHistory } from "../task-history.ts";
import { formatTaskId } from "../task-id.ts";

export type LinkRequest = Readonly<{
  id: string | number;
  repo: string;
  /** An issue that is there; null to have one made. */
  number: number | null;
  by: Actor;
}>;

/**
 * Links a task with an issue, which the next sync makes or reads; of one that is there, everything counts. Throws `task_not_found`,
 * `task_not_yours` for a plan's task, and `invalid_argument` where either is linked already.
 */
export async function linkTask(db: Db, { id, repo, number, by }: LinkRequest): Promise<void> {
  await changeTasks(db, async (trx) => {
    const task = await lockTask(trx, id);
    if (task.plan_id !== null)
      throw new UserError("task_not_yours", `${formatTaskId(task.id)} belongs to plan P${task.plan_id}.`);
    const own = await trx.selectFrom("task_links").selectAll().where("task_id", "=", task.id).executeTakeFirst();
    if (own !== undefined)
      throw new UserError("invalid_argument", `${formatTaskId(task.id)} is linked with ${nameOf(own)} already.`);
    const other =
      number === null
        ? undefined
        : await trx
            .selectFrom("task_links")
            .selectAll()
            .where("repo", "=", repo)
            .where("number", "=", number)
            .executeTakeFirst();
    if (other !== undefined) {
      throw new UserError(
        "invalid_argument",
        `${repo}#${number} is linked with ${formatTaskId(other.task_id)} already.`,
      );
    }
    await trx
      .insertInto("task_links")
      .values({ task_id: task.id, repo, number, marker: randomUUID(), sent_at: null, base: null })
      .execute();
    await addHistory(trx, by, [
      { taskId: task.id, kind: "linked", detail: `with ${repo}${number === null ? "" : `#${number}`}` },
    ]);
  });
}

/** Takes a task's link away; task and issue stay as they are. Throws `task_not_found`, and `invalid_argument` where there is none. */
export async function unlinkTask(db: Db, { id, by }: Pick<LinkRequest, "id" | "by">): Promise<void> {
  await changeTasks(db, async (trx) => {
    const task = await lockTask(trx, id);
    const gone = await trx.deleteFrom("task_links").where("task_id", "=", task.id).returningAll().executeTakeFirst();
    if (gone === undefined)
      throw new UserError("invalid_argument", `${formatTaskId(task.id)} is linked with no issue.`);
    await addHistory(trx, by, [{ taskId: task.id, kind: "linked", detail: `no more with ${nameOf(gone)}` }]);
  });
}

function nameOf({ repo, number }: Row<"task_links">): string {
  return number === null ? repo : `${repo}#${number}`;
}
