import { sql } from "kysely";
import { expect, test } from "vitest";
import { type Fault, type GithubServer, githubServer } from "../../../tests/support/github-server.ts";
import { testStore } from "../../../tests/support/store.ts";
import type { GithubRepo } from "../../config.ts";
import type { Db } from "../../store/open-store.ts";
import type { Actor } from "../actor.ts";
import { createTasks } from "../create-tasks.ts";
import { finishTask } from "../finish-task.ts";
import { listTasks } from "../list-tasks.ts";
import { readTask } from "../read-task.ts";
import { reopenTask } from "../reopen-task.ts";
import { updateTask } from "../update-task.ts";
import { linkTask, unlinkTask } from "./link-task.ts";
import { syncRepo } from "./sync-repo.ts";

const token = "ghp_0123456789";
const by: Actor = { actor: "person", traceId: null };

type Setup = Readonly<{ direction?: GithubRepo["direction"]; labels?: string[]; pageSize?: number }>;

async function linked({ direction = "both", labels = [], pageSize = 100 }: Setup = {}) {
  const store = await testStore();
  const github = await githubServer({ token, pageSize });
  const { db } = store;
  const settings: GithubRepo = {
    repo: "acme/app",
    url: github.url,
    token: "GITHUB_TOKEN",
    direction,
    labels,
    everyMs: 60_000,
  };
  return {
    db,
    github,
    /** As if its time had come. */
    async sync(value: string | undefined = token) {
      await sql`update task_repos set wait_until = null, held_until = null`.execute(db);
      await syncRepo(db, settings, {
        token: () => value,
        signal: new AbortController().signal,
        writePauseMs: 0,
        settleMs: 0,
      });
      return db.selectFrom("task_repos").selectAll().executeTakeFirstOrThrow();
    },
    titles: async () => (await listTasks(db, { limit: 100 })).rows.map(({ title }) => title).sort(),
    async [Symbol.asyncDispose]() {
      await github[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function add(db: Db, title: string, more: { labels?: string[]; body?: string } = {}): Promise<number> {
  const [task] = await createTasks(db, { tasks: [{ title, ...more }], by });
  return task?.id ?? 0;
}

const names = ({ labels }: { labels: { name: string }[] } | undefined = { labels: [] }) =>
  labels.map(({ name }) => name);

test("issues become tasks, and each side's changes reach the other", async () => {
  await using it = await linked();
  const { db, github } = it;
  github.add({ title: "Bug", body: "It breaks.\r\nOften.", labels: [{ name: "bug" }, { name: 'with "quotes"' }] });
  github.add({ title: "Old", state: "closed" });
  github.add({ title: "A change", pull_request: {} });
  await it.sync();
  expect(await it.titles()).toEqual(["Bug"]);
  const { task, history } = await readTask(db, 1);
  expect(task).toMatchObject({ source: "github:acme/app#1", body: "It breaks.\nOften.", labels: '["bug"]' });
  expect(history[0]).toMatchObject({ actor: "github acme/app" });

  await updateTask(db, { id: 1, change: { title: "Bug in the feed", labels: ["bug", "feed"] }, by });
  await finishTask(db, { id: 1, state: "done", result: "mended", by });
  await it.sync();
  expect(github.issues[0]).toMatchObject({ title: "Bug in the feed", state: "closed", state_reason: "completed" });
  expect(names(github.issues[0])).toEqual(["bug", "feed", 'with "quotes"']);
  expect(github.issues[0]?.body).toBe("It breaks.\r\nOften.");

  github.edit(1, { state: "open", state_reason: "reopened", title: "Bug, again" });
  await it.sync();
  expect((await readTask(db, 1)).task).toMatchObject({ state: "open", title: "Bug, again", result: null });
  github.edit(1, { state: "closed", state_reason: "not_planned" });
  await it.sync();
  expect((await readTask(db, 1)).task.state).toBe("cancelled");
  await reopenTask(db, { id: 1, by });
  await it.sync();
  expect(github.issues[0]).toMatchObject({ state: "open" });

  // Nothing is left to say: one more look moves nothing, and the next is answered with 304.
  await it.sync();
  const before = github.requests.length;
  const writes = github.requests.filter((line) => !line.startsWith("GET")).length;
  await it.sync();
  await it.sync();
  expect(github.requests).toHaveLength(before + 2);
  expect(github.requests.filter((line) => !line.startsWith("GET"))).toHaveLength(writes);
});

test("where both sides changed the same, the issue counts and the history keeps the task's; else both changes stay", async () => {
  await using it = await linked();
  const { db, github } = it;
  github.add({ title: "Title", body: "Body" });
  await it.sync();
  await updateTask(db, { id: 1, change: { title: "Mine", body: "My body" }, by });
  github.edit(1, { title: "Theirs" });
  await it.sync();
  const { task, history } = await readTask(db, 1);
  expect(task).toMatchObject({ title: "Theirs", body: "My body" });
  expect(github.issues[0]).toMatchObject({ title: "Theirs", body: "My body" });
  expect(history.at(-1)).toMatchObject({ actor: "github acme/app", detail: JSON.stringify({ title: "Mine" }) });
});

test("tasks with the labels become issues, others when a person says so; what is a plan's never does", async () => {
  await using it = await linked({ labels: ["agents"] });
  const { db, github } = it;
  github.add({ title: "Not ours", labels: [{ name: "bug" }] });
  await createTasks(db, {
    tasks: [
      { title: "Shared", labels: ["agents", "web"], body: "Text" },
      { title: "Private" },
      { title: "Planned", labels: ["agents"], planId: 1 },
      { title: "Alert", labels: ["agents"], source: "alert:x" },
    ],
    by,
  });
  await it.sync();
  expect(github.issues.map(({ title }) => title)).toEqual(["Not ours", "Shared"]);
  expect(github.issues[1]?.body).toMatch(/^Text\n\n<!-- jobrunner:[0-9a-f-]{36} -->$/);
  expect((await readTask(db, 1)).history.at(-1)).toMatchObject({ kind: "linked", detail: "github:acme/app#2" });
  await linkTask(db, { id: 2, repo: "acme/app", number: null, by });
  await it.sync();
  expect(github.issues.map(({ title }) => title)).toEqual(["Not ours", "Shared", "Private"]);
  await expect(linkTask(db, { id: 3, repo: "acme/app", number: null, by })).rejects.toMatchObject({
    code: "task_not_yours",
  });
  await expect(linkTask(db, { id: 4, repo: "acme/app", number: 2, by })).rejects.toThrow("linked with T1");
  await linkTask(db, { id: 4, repo: "acme/app", number: 1, by });
  await it.sync();
  expect((await readTask(db, 4)).task).toMatchObject({ title: "Not ours", labels: '["bug"]' });
  await unlinkTask(db, { id: 4, by });
  github.edit(1, { title: "Changed there" });
  await it.sync();
  expect((await readTask(db, 4)).task.title).toBe("Not ours");
  expect((await it.titles()).length).toBe(4);
  await updateTask(db, { id: 1, change: { body: "New text" }, by });
  await it.sync();
  expect(github.issues[1]?.body).toMatch(/^New text\n\n<!-- jobrunner:/);
  // Deleted there: the task stays.
  github.faults.next = (method, path) =>
    method === "PATCH" && path.endsWith("/2") ? { status: 410, message: "This issue was deleted" } : undefined;
  await updateTask(db, { id: 1, change: { title: "Shared no more" }, by });
  expect((await it.sync()).problem).toBeNull();
  expect((await readTask(db, 1)).history.at(-1)?.detail).toContain("no more: there is no github:acme/app#2");
});

test.each(["pull", "push"] as const)("changes go one way alone where that is asked for: %s", async (direction) => {
  await using it = await linked({ direction, labels: ["a"] });
  const { db, github } = it;
  github.add({ title: "Theirs", labels: [{ name: "a" }] });
  const id = await add(db, "Ours", { labels: ["a"] });
  await it.sync();
  expect(await it.titles()).toEqual(direction === "pull" ? ["Ours", "Theirs"] : ["Ours"]);
  expect(github.issues.map(({ title }) => title)).toEqual(direction === "pull" ? ["Theirs"] : ["Theirs", "Ours"]);
  const mine = direction === "pull" ? id + 1 : id;
  const number = direction === "pull" ? 1 : 2;
  await updateTask(db, { id: mine, change: { title: "Mine" }, by });
  github.edit(number, { body: "New there" });
  await it.sync();
  expect((await readTask(db, mine)).task.body).toBe(direction === "pull" ? "New there" : null);
  expect(github.issues[number - 1]).toMatchObject({ title: direction === "pull" ? "Theirs" : "Mine" });
});

test("many pages are read whole, also while they change", async () => {
  await using it = await linked({ pageSize: 3 });
  const { db, github } = it;
  for (let n = 1; n <= 11; n++) github.add({ title: `n${n}` });
  let changes = 3;
  github.faults.next = (_, path) => {
    // One of those that were read goes to the end, and everybody else moves up.
    if (path.includes("since") && changes-- > 0) github.edit(changes + 1, { body: `changed ${changes}` });
    return undefined;
  };
  await it.sync();
  github.faults.next = () => undefined;
  await it.sync();
  const { rows } = await listTasks(db, { limit: 100 });
  expect(rows.map(({ title }) => title).sort()).toEqual(github.issues.map(({ title }) => title).sort());
  expect(rows.filter(({ body }) => body !== null)).toHaveLength(3);
});

const limits: [string, Fault, Partial<{ problem: string; failures: number }>, number][] = [
  [
    "a limit with retry-after",
    { status: 403, headers: { "retry-after": "90" }, message: "secondary rate limit" },
    { problem: "403 secondary rate limit" },
    90,
  ],
  ["too many requests", { status: 429, headers: { "retry-after": "7" } }, { problem: "429 no" }, 7],
  [
    "the hour's limit",
    {
      status: 403,
      headers: {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(Date.parse("2026-11-01T00:10:00Z") / 1_000),
      },
      message: "API rate limit exceeded",
    },
    { problem: "403 API rate limit exceeded" },
    600,
  ],
  ["an outage", { status: 502, message: "Bad gateway" }, { problem: "502 Bad gateway" }, 30],
  [
    "no permission",
    { status: 403, message: "Resource not accessible" },
    { problem: "403 Resource not accessible" },
    30,
  ],
  ["no answer", "lost", {}, 30],
];

test("whatever GitHub refuses stands in the store with the time of the next try, and goes on where it stopped", async () => {
  await using it = await linked();
  const { db, github } = it;
  github.add({ title: "One" });
  for (const [name, fault, expected, seconds] of limits) {
    await sql`update task_repos set failures = 0`.execute(db);
    github.faults.next = () => fault;
    const row = await it.sync();
    expect(row, name).toMatchObject({ failures: 1, synced_at: null, held_until: null, ...expected });
    const { rows } = await sql<{
      s: number;
    }>`select extract(epoch from wait_until - now())::double precision as s from task_repos`.execute(db);
    expect(Math.abs((rows[0]?.s ?? 0) - seconds), name).toBeLessThan(20);
  }
  github.faults.next = () => undefined;
  expect(await it.sync("wrong")).toMatchObject({ problem: "401 Bad credentials" });
  expect(await it.sync(undefined)).toMatchObject({ problem: null });
  expect(await it.titles()).toEqual(["One"]);
  // Nobody else comes near while one is at it, nor before it is time.
  const settings: GithubRepo = {
    repo: "acme/app",
    url: github.url,
    token: "T",
    direction: "both",
    labels: [],
    everyMs: 1,
  };
  const signal = new AbortController().signal;
  await sql`update task_repos set held_until = now() + interval '1 minute', wait_until = null`.execute(db);
  expect(await syncRepo(db, settings, { token: () => token, signal, now: true })).toBe(false);
});

/** Drops one request, then lets everything pass. */
function onceAt(github: GithubServer, wanted: string, fault: Fault): void {
  let left = 1;
  github.faults.next = (method) => (method === wanted && left-- > 0 ? fault : undefined);
}

test.each<[string, Fault]>([
  ["was made, and the answer lost", "unanswered"],
  ["was not made", "lost"],
  ["was refused by an outage", { status: 503 }],
  ["was refused", { status: 422, message: "Validation Failed" }],
])("an issue that %s is there once afterwards", async (_, fault) => {
  await using it = await linked({ labels: ["a"] });
  const { db, github } = it;
  await add(db, "Ours", { labels: ["a"] });
  await add(db, "Second", { labels: ["a"] });
  onceAt(github, "POST", fault);
  await it.sync();
  for (let round = 0; round < 3; round++) await it.sync();
  expect(github.issues.map(({ title }) => title).sort()).toEqual(["Ours", "Second"]);
  expect(await it.titles()).toEqual(["Ours", "Second"]);
  const links = await db.selectFrom("task_links").select(["task_id", "number"]).orderBy("task_id").execute();
  expect(links.map(({ number }) => number).sort()).toEqual([1, 2]);
});

test("killed anywhere, it neither loses an issue nor makes one twice", async () => {
  // As if the program ended with the n-th request: before it arrives, or before its answer does.
  for (const fault of ["lost", "unanswered"] as const) {
    await using it = await linked({ pageSize: 2 });
    const { db, github } = it;
    for (let n = 1; n <= 4; n++) github.add({ title: `theirs ${n}`, labels: [{ name: "a" }] });
    for (let n = 1; n <= 3; n++)
      await linkTask(db, { id: await add(db, `ours ${n}`), repo: "acme/app", number: null, by });
    for (let at = 0; at < 14; at++) {
      let left = at;
      github.faults.next = () => (left-- === 0 ? fault : undefined);
      await it.sync();
    }
    github.faults.next = () => undefined;
    await it.sync();
    const all = [1, 2, 3, 4]
      .map((n) => `theirs ${n}`)
      .concat([1, 2, 3].map((n) => `ours ${n}`))
      .sort();
    expect(github.issues.map(({ title }) => title).sort(), fault).toEqual(all);
    expect(await it.titles(), fault).toEqual(all);
  }
});
