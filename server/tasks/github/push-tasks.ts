import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { GithubRepo } from "../../config.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { changeTasks } from "../change-tasks.ts";
import { taskConditions } from "../list-tasks.ts";
import { addHistory } from "../task-history.ts";
import { formatTaskId } from "../task-id.ts";
import { liveStates } from "../task-states.ts";
import { applyIssue, readBase, tellLinked } from "./apply-issue.ts";
import type { GithubClient, IssueChange } from "./github-client.ts";
import { GithubError } from "./github-error.ts";
import { issueSource, syncActor } from "./github-repo.ts";
import { fieldsOfTask, findMarker, type Issue, markBody, type SharedFields, splitLabels } from "./issue-fields.ts";
import { differing } from "./merge-fields.ts";

export type PushOptions = Readonly<{
  client: GithubClient;
  /** Called before each write, which may wait: GitHub asks for a second between them. */
  beat: () => Promise<void>;
  /** How long an issue that may have been made has to show up before it is made again. */
  settleMs: number;
}>;

const atOnce = 200;
/** Clocks differ. */
const marginMs = 600_000;

/**
 * Makes issues of tasks, and changes those that there are. What one task's issue refuses does not hold up the others: it is given back.
 * A request is on record before it is sent, and one whose answer never came is looked for by its mark before it is sent again, so that
 * an issue is neither lost nor made twice. Throws GithubError where nothing further can work now.
 */
export async function pushTasks(db: Db, settings: GithubRepo, options: PushOptions): Promise<string[]> {
  const problems: string[] = [];
  const attempt = async (taskId: number, work: () => Promise<void>) => {
    await work().catch((thrown: unknown) => {
      if (!(thrown instanceof GithubError) || thrown.kind !== "refused") throw thrown;
      problems.push(`${formatTaskId(taskId)}: ${thrown.message}`);
    });
  };
  if (settings.direction !== "pull") await linkByLabels(db, settings);
  for (const link of await linksOf(db, settings.repo, "unmade")) {
    await attempt(link.task_id, () => makeIssue(db, settings, link, options));
  }
  for (const link of await linksOf(db, settings.repo, "unseen")) {
    await attempt(link.task_id, () => seeIssue(db, settings, link, options));
  }
  if (settings.direction === "pull") return problems;
  for (const link of await linksOf(db, settings.repo, "seen")) {
    await attempt(link.task_id, () => changeIssue(db, settings, link, options));
  }
  return problems;
}

/** Tasks with the labels of the repository become issues by themselves; what is a plan's, an alert's or another issue's does not. */
async function linkByLabels(db: Db, { repo, labels }: GithubRepo): Promise<void> {
  if (labels.length === 0) return;
  await changeTasks(db, async (trx) => {
    const tasks = await trx
      .selectFrom("tasks")
      .select("tasks.id")
      .where((eb) => eb.and(taskConditions({ state: liveStates, labels })))
      .where("plan_id", "is", null)
      .where(sql<boolean>`(source is null or source like 'import:%')`)
      .where(sql<boolean>`not exists (select 1 from task_links l where l.task_id = tasks.id)`)
      .orderBy("id")
      .limit(atOnce)
      .execute();
    if (tasks.length === 0) return;
    await trx
      .insertInto("task_links")
      .values(
        tasks.map(({ id }) => ({ task_id: id, repo, number: null, marker: randomUUID(), sent_at: null, base: null })),
      )
      .execute();
  });
}

type Link = Readonly<{ link: Row<"task_links">; task: Row<"tasks">; task_id: number }>;

async function linksOf(db: Db, repo: string, which: "unmade" | "unseen" | "seen"): Promise<Link[]> {
  const links = await db
    .selectFrom("task_links")
    .selectAll()
    .where("repo", "=", repo)
    .where("number", which === "unmade" ? "is" : "is not", null)
    .$if(which !== "unmade", (query) => query.where("base", which === "unseen" ? "is" : "is not", null))
    .orderBy("task_id")
    .execute();
  const ids = links.map(({ task_id }) => task_id);
  const tasks = await db.selectFrom("tasks").selectAll().where(sql<boolean>`id = any(${ids}::bigint[])`).execute();
  const byId = new Map(tasks.map((task) => [task.id, task]));
  return links.flatMap((link) => {
    const task = byId.get(link.task_id);
    return task === undefined ? [] : [{ link, task, task_id: task.id }];
  });
}

async function makeIssue(db: Db, settings: GithubRepo, { link, task }: Link, options: PushOptions): Promise<void> {
  const { client, beat, settleMs } = options;
  const found = await findSent(db, link, client, settleMs);
  if (found === "wait") return;
  if (found !== undefined) return applyIssue(db, settings, found);
  await beat();
  if (!(await takeSending(db, link))) return;
  const fields = fieldsOfTask(task);
  const { title, body, labels } = fields;
  let issue: Issue;
  try {
    issue = await client.create({ title, body: markBody(body, link.marker), labels });
  } catch (thrown) {
    // It surely was not made, so there is nothing to look for.
    if (thrown instanceof GithubError && thrown.kind !== "unavailable") await setLink(db, link, { sent_at: null });
    throw thrown;
  }
  await changeTasks(db, async (trx) => {
    await setLink(trx, link, { number: issue.number, base: JSON.stringify({ ...fields, state: "open" }) });
    await tellLinked(trx, settings, task.id, issue.number);
  });
}

/** On record before it is sent; false where somebody else was first. */
async function takeSending(db: Db, { task_id, sent_at }: Row<"task_links">): Promise<boolean> {
  const taken = await db
    .updateTable("task_links")
    .set({ sent_at: sql<Date>`date_trunc('milliseconds', now())` })
    .where("task_id", "=", task_id)
    .where(sql<boolean>`sent_at is not distinct from ${sent_at}::timestamptz`)
    .returning("task_id")
    .executeTakeFirst();
  return taken !== undefined;
}

/** An issue that was asked for, and whose number was never heard of; `wait` where it may yet show up. */
async function findSent(
  db: Db,
  { marker, sent_at }: Row<"task_links">,
  client: GithubClient,
  settleMs: number,
): Promise<Issue | "wait" | undefined> {
  if (sent_at === null) return undefined;
  const { rows } = await sql<{ ms: number }>`
    select (extract(epoch from now() - ${sent_at}::timestamptz) * 1000)::double precision as ms`.execute(db);
  if ((rows[0]?.ms ?? 0) < settleMs) return "wait";
  const since = new Date(sent_at.getTime() - marginMs);
  for (let page = 1; ; page += 1) {
    const list = await client.list({ state: "all", since, page });
    const found = list?.issues.find((issue) => findMarker(issue) === marker);
    if (found !== undefined || list?.more !== true) return found;
  }
}

/** An issue that a person named. */
async function seeIssue(db: Db, settings: GithubRepo, { link }: Link, { client }: PushOptions): Promise<void> {
  if (link.number === null) return;
  try {
    await applyIssue(db, settings, await client.read(link.number));
  } catch (thrown) {
    await unlinkGone(db, settings, link, thrown);
  }
}

async function changeIssue(db: Db, settings: GithubRepo, { link, task }: Link, options: PushOptions): Promise<void> {
  const base = readBase(link);
  if (base === null || link.number === null) return;
  const fields = fieldsOfTask(task);
  const changed = differing(base, fields);
  if (Object.keys(changed).length === 0) return;
  await options.beat();
  try {
    await options.client.update(link.number, await asChange(changed, link, link.number, options.client));
  } catch (thrown) {
    return unlinkGone(db, settings, link, thrown);
  }
  // As it was sent, whatever the answer made of it: that difference is the issue's, and is pulled.
  await setLink(db, link, { base: JSON.stringify({ ...base, ...changed }) });
}

async function asChange(
  changed: Partial<SharedFields>,
  { marker, sent_at }: Row<"task_links">,
  number: number,
  client: GithubClient,
): Promise<IssueChange> {
  const { title, body, state, labels } = changed;
  return {
    ...(title === undefined ? {} : { title }),
    ...(body === undefined ? {} : { body: sent_at === null ? body : markBody(body, marker) }),
    ...(state === undefined ? {} : stateChange(state)),
    // Labels that no task can have stay.
    ...(labels === undefined ? {} : { labels: [...labels, ...splitLabels(await client.read(number)).others] }),
  };
}

function stateChange(state: SharedFields["state"]): IssueChange {
  switch (state) {
    case "open":
      return { state: "open", state_reason: "reopened" };
    case "done":
      return { state: "closed", state_reason: "completed" };
    case "dropped":
      return { state: "closed", state_reason: "not_planned" };
    default:
      return state satisfies never;
  }
}

/** An issue that was deleted or moved away is linked no more; its task stays. */
async function unlinkGone(db: Db, settings: GithubRepo, link: Row<"task_links">, thrown: unknown): Promise<void> {
  if (!(thrown instanceof GithubError) || thrown.kind !== "gone" || link.number === null) throw thrown;
  const detail = `no more: there is no ${issueSource(settings.repo, link.number)} (${thrown.message})`;
  await changeTasks(db, async (trx) => {
    await trx.deleteFrom("task_links").where("task_id", "=", link.task_id).execute();
    await addHistory(trx, syncActor(settings), [{ taskId: link.task_id, kind: "linked", detail }]);
  });
}

async function setLink(
  db: Db,
  { task_id }: Row<"task_links">,
  values: Readonly<{ number?: number; base?: string; sent_at?: null }>,
): Promise<void> {
  await db.updateTable("task_links").set(values).where("task_id", "=", task_id).execute();
}
