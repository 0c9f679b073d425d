import { randomUUID } from "node:crypto";
import type { GithubRepo } from "../../config.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { changeTasks } from "../change-tasks.ts";
import { createTasks } from "../create-tasks.ts";
import { finishTask } from "../finish-task.ts";
import { reopenTask } from "../reopen-task.ts";
import { requireTask } from "../require-task.ts";
import { addHistory } from "../task-history.ts";
import { hasEnded } from "../task-states.ts";
import { updateTask } from "../update-task.ts";
import { issueSource, syncActor } from "./github-repo.ts";
import {
  fieldsOfIssue,
  fieldsOfTask,
  findMarker,
  type Issue,
  type SharedFields,
  sharedFields,
} from "./issue-fields.ts";
import { fieldsToPull } from "./merge-fields.ts";

/**
 * Takes over what an issue says, in one transaction, and remembers what it said: a new open one becomes a task, a linked one's changes
 * its task's. The same issue may come any number of times.
 */
export async function applyIssue(db: Db, settings: GithubRepo, issue: Issue): Promise<void> {
  if (issue.pull_request !== undefined) return;
  await changeTasks(db, async (trx) => {
    const link = await findLink(trx, settings.repo, issue);
    if (link === undefined) {
      await importIssue(trx, settings, issue);
      return;
    }
    const fields = fieldsOfIssue(issue);
    const task = await requireTask(trx, link.task_id);
    const pulled = fieldsToPull({ base: readBase(link), task: fieldsOfTask(task), issue: fields }, settings.direction);
    await changeTask(trx, settings, task, pulled);
    await trx
      .updateTable("task_links")
      .set({ number: issue.number, base: JSON.stringify(fields) })
      .where("task_id", "=", link.task_id)
      .execute();
    if (link.number === null) await tellLinked(trx, settings, link.task_id, issue.number);
  });
}

/** What a linked issue said when it was seen last. */
export function readBase({ base }: Pick<Row<"task_links">, "base">): SharedFields | null {
  return base === null ? null : sharedFields.parse(JSON.parse(base));
}

/** Notes in the history that a task and an issue are one. */
export function tellLinked(trx: Db, settings: GithubRepo, taskId: number, number: number): Promise<void> {
  return addHistory(trx, syncActor(settings), [{ taskId, kind: "linked", detail: issueSource(settings.repo, number) }]);
}

async function findLink(trx: Db, repo: string, issue: Issue): Promise<Row<"task_links"> | undefined> {
  const links = trx.selectFrom("task_links").selectAll().where("repo", "=", repo);
  const known = await links.where("number", "=", issue.number).executeTakeFirst();
  const marker = findMarker(issue);
  if (known !== undefined || marker === undefined) return known;
  // Ours, whose answer never arrived.
  return links.where("marker", "=", marker).where("number", "is", null).executeTakeFirst();
}

async function importIssue(trx: Db, settings: GithubRepo, issue: Issue): Promise<void> {
  const { repo, direction, labels } = settings;
  const fields = fieldsOfIssue(issue);
  const wanted = labels.every((label) => fields.labels.includes(label));
  if (direction === "push" || fields.state !== "open" || !wanted || (await isUnlinked(trx, repo, issue))) return;
  const { title, body, labels: own } = fields;
  const source = issueSource(repo, issue.number);
  const [task] = await createTasks(trx, { tasks: [{ title, body, labels: own, source }], by: syncActor(settings) });
  if (task === undefined) throw new Error(`no task was made of ${source}`);
  const base = JSON.stringify(fields);
  await trx
    .insertInto("task_links")
    .values({ task_id: task.id, repo, number: issue.number, marker: randomUUID(), sent_at: null, base })
    .execute();
}

/** Whether there is a task of it whose link was taken away, or a second issue with a mark that is known: neither is made again. */
async function isUnlinked(trx: Db, repo: string, issue: Issue): Promise<boolean> {
  const made = trx.selectFrom("tasks").select("id").where("source", "=", issueSource(repo, issue.number));
  if ((await made.executeTakeFirst()) !== undefined) return true;
  const marker = findMarker(issue);
  if (marker === undefined) return false;
  const twin = trx.selectFrom("task_links").select("task_id").where("marker", "=", marker);
  return (await twin.executeTakeFirst()) !== undefined;
}

async function changeTask(
  trx: Db,
  settings: GithubRepo,
  task: Row<"tasks">,
  pulled: Partial<SharedFields>,
): Promise<void> {
  const { state, ...change } = pulled;
  const who = { id: task.id, by: syncActor(settings), door: "daemon" } as const;
  if (Object.keys(change).length > 0) await updateTask(trx, { ...who, change });
  if (state === undefined) return;
  if (hasEnded(task.state)) await reopenTask(trx, { ...who, reason: "opened on GitHub" });
  if (state === "done") await finishTask(trx, { ...who, state: "done", result: "Closed on GitHub." });
  if (state === "dropped")
    await finishTask(trx, { ...who, state: "cancelled", result: "Closed on GitHub as not planned." });
}
