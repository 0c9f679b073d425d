import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { storeKinds, testStore } from "../../tests/support/store.ts";
import type { Db } from "../store/open-store.ts";
import type { Actor } from "./actor.ts";
import { addNote } from "./add-note.ts";
import { releaseTask, renewClaim } from "./change-claim.ts";
import { claimTask } from "./claim-task.ts";
import { createTasks } from "./create-tasks.ts";
import { finishTask } from "./finish-task.ts";
import { readLabels } from "./labels.ts";
import { longestLeaseSeconds } from "./lease.ts";
import { countTasks, listTasks } from "./list-tasks.ts";
import type { NewTask } from "./new-task.ts";
import { readTask } from "./read-task.ts";
import { readyNeighbours } from "./ready-neighbours.ts";
import { reopenTask } from "./reopen-task.ts";
import { parseTaskNotice, tasksChannel } from "./task-notices.ts";
import { updateTask } from "./update-task.ts";

const by: Actor = { actor: "test-host 1.0", traceId: "trace-1" };
const other: Actor = { actor: "other-host 2.0", traceId: null };

async function add(db: Db, ...tasks: (NewTask | string)[]): Promise<number[]> {
  const made = await createTasks(db, {
    tasks: tasks.map((task) => (typeof task === "string" ? { title: task, key: task } : task)),
    by,
  });
  return made.map(({ id }) => id);
}

async function ready(db: Db): Promise<string[]> {
  const { rows } = await listTasks(db, { ready: true, limit: 100 });
  return rows.map(({ title }) => title);
}

/** As if the lease had run out. */
async function expire(db: Db, id: number): Promise<void> {
  await sql`update tasks set claimed_until = now() - interval '1 second' where id = ${id}`.execute(db);
}

describe.each(storeKinds)("tasks on %s", (kind) => {
  test("a tree is made in one call, and what waits becomes ready as what it waits for is done", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const [goal, a, b, c] = await add(
      db,
      "goal",
      { title: "a", key: "a", parent: "goal" },
      { title: "b", key: "b", parent: "goal", urgency: "high" },
      { title: "c", parent: "goal", dependsOn: ["a", "b"] },
    );
    if (goal === undefined || a === undefined || b === undefined || c === undefined) throw new Error("not made");
    expect(await ready(db)).toEqual(["b", "a"]);
    await finishTask(db, { id: a, state: "done", result: "found it", by });
    expect(await ready(db)).toEqual(["b"]);
    await expect(finishTask(db, { id: c, state: "done", result: null, by })).rejects.toMatchObject({
      code: "task_waiting",
      message: `T${c} waits for T${b} "b" (open).`,
    });
    await finishTask(db, { id: b, state: "done", result: null, by });
    expect(await ready(db)).toEqual(["c"]);
    await finishTask(db, { id: c, state: "failed", result: "no", by });
    expect(await ready(db)).toEqual(["goal"]);
    await reopenTask(db, { id: b, reason: "not good", by });
    expect(await ready(db)).toEqual(["b"]);
    const whole = await readTask(db, a);
    expect(whole).toMatchObject({ parent: { id: goal }, neededBy: [{ id: c, state: "failed" }], earlier: 0 });
    expect(whole.history).toMatchObject([
      { kind: "created", actor: "test-host 1.0", trace_id: "trace-1" },
      { kind: "done", detail: "found it" },
    ]);
  });

  test.each<[string, NewTask[], string]>([
    ["itself", [{ title: "A", key: "a", dependsOn: ["a"] }], 'a "A" → a "A"'],
    [
      "each other",
      [
        { title: "A", key: "a", dependsOn: ["b"] },
        { title: "B", key: "b", dependsOn: ["c"] },
        { title: "C", key: "c", dependsOn: ["a"] },
      ],
      'a "A" → b "B" → c "C" → a "A"',
    ],
    [
      "the parent",
      [
        { title: "A", key: "a" },
        { title: "B", key: "b", parent: "a", dependsOn: ["a"] },
      ],
      'b "B" → a "A" → b "B"',
    ],
  ])("a circle through %s is refused and named, and nothing of it is made", async (_, tasks, circle) => {
    await using store = await testStore(kind);
    await expect(createTasks(store.db, { tasks, by })).rejects.toMatchObject({
      code: "task_cycle",
      message: expect.stringContaining(`${circle}.`),
    });
    expect((await listTasks(store.db, { limit: 10 })).rows).toEqual([]);
  });

  test("a circle that a change closes is refused, also by way of parents", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const [a = 0, b = 0, c = 0] = await add(
      db,
      "a",
      { title: "b", key: "b", dependsOn: ["a"] },
      { title: "c", parent: "a" },
    );
    await expect(updateTask(db, { id: c, addDependencies: [b], by })).rejects.toMatchObject({
      code: "task_cycle",
      message: expect.stringContaining(`T${c} "c" → T${b} "b" → T${a} "a" → T${c} "c"`),
    });
    await expect(updateTask(db, { id: b, change: { parent: c }, by })).rejects.toMatchObject({ code: "task_cycle" });
    await expect(updateTask(db, { id: a, change: { parent: a }, by })).rejects.toMatchObject({ code: "task_cycle" });
    await updateTask(db, { id: b, removeDependencies: [a], by });
    await updateTask(db, { id: c, addDependencies: [b], by });
    expect(await ready(db)).toEqual(["b"]);
  });

  test("a claim holds until its lease ends, and a later one fences it off", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const [id = 0] = await add(db, "a");
    const mine = await claimTask(db, { by, leaseSeconds: 60 });
    expect(mine).toMatchObject({ id, state: "in_progress", claim: 1, claimed_by: "test-host 1.0" });
    expect(await claimTask(db, { by: other })).toBeUndefined();
    await expect(claimTask(db, { id, by })).rejects.toMatchObject({ code: "task_claimed" });
    await expect(finishTask(db, { id, state: "done", result: null, by: other })).rejects.toMatchObject({
      code: "task_claimed",
    });
    await expire(db, id);
    await renewClaim(db, { id, claim: 1, by });
    expect(await claimTask(db, { by: other })).toBeUndefined();
    await expire(db, id);
    expect(await claimTask(db, { by: other })).toMatchObject({ id, claim: 2 });
    for (const late of [
      () => finishTask(db, { id, state: "done", result: null, claim: 1, by }),
      () => renewClaim(db, { id, claim: 1, by }),
      () => releaseTask(db, { id, claim: 1, by }),
    ]) {
      await expect(late()).rejects.toMatchObject({ code: "claim_lost" });
    }
    await releaseTask(db, { id, claim: 2, by: other });
    expect(await ready(db)).toEqual(["a"]);
    await claimTask(db, { id, by });
    const done = await finishTask(db, { id, state: "done", result: "yes", claim: 3, by });
    expect(done).toMatchObject({ state: "done", claimed_by: null, result: "yes" });
    expect(await finishTask(db, { id, state: "done", result: "again", by })).toMatchObject({ result: "yes" });
    await expect(claimTask(db, { id, by })).rejects.toMatchObject({ code: "task_ended" });
  });

  test("what is for a person or a plan is neither listed as ready, nor claimed, nor ended by an agent", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const [person = 0, planned = 0, host = 0] = await add(
      db,
      { title: "person", openTo: "person" },
      { title: "planned", planId: 3, node: "n" },
      { title: "host", planId: 3, node: "m", openTo: "host" },
    );
    expect(await ready(db)).toEqual(["host"]);
    for (const id of [person, planned]) {
      await expect(claimTask(db, { id, by })).rejects.toMatchObject({ code: "task_not_yours" });
      await expect(finishTask(db, { id, state: "done", result: null, by })).rejects.toMatchObject({
        code: "task_not_yours",
      });
    }
    expect(await claimTask(db, { by })).toMatchObject({ id: host });
    expect(await claimTask(db, { by })).toBeUndefined();
    await finishTask(db, {
      id: person,
      state: "done",
      result: null,
      by: { actor: "person", traceId: null },
      door: "person",
    });
    await finishTask(db, {
      id: planned,
      state: "done",
      result: null,
      by: { actor: "plan P3", traceId: null },
      door: "plan",
    });
  });

  test("what has become ready is told, but for what a plan does itself", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const tasks = [
      { title: "the plan", key: "plan", planId: 3 },
      { title: "its host's", parent: "plan", key: "host", planId: 3, node: "m", openTo: "host" as const },
      { title: "mine", dependsOn: ["host"] },
      { title: "the person's", dependsOn: ["host"], openTo: "person" as const },
    ];
    const made = await createTasks(db, { tasks, by });
    const host = made.find(({ title }) => title === "its host's");
    const done = await finishTask(db, { id: host?.id ?? 0, state: "done", result: null, by });
    expect((await readyNeighbours(db, done, 9)).map(({ title }) => title)).toEqual(["mine", "the person's"]);
  });

  test("cancelling ends the parts, too; nothing that needed them is released", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const [goal = 0] = await add(
      db,
      "goal",
      { title: "a", key: "a", parent: "goal" },
      { title: "a1", key: "a1", parent: "a" },
      { title: "outside", dependsOn: ["a1"] },
    );
    await expect(finishTask(db, { id: goal, state: "done", result: null, by })).rejects.toMatchObject({
      code: "task_waiting",
    });
    await finishTask(db, { id: goal, state: "cancelled", result: "no need", by });
    expect((await listTasks(db, { state: "cancelled", limit: 9 })).rows.map(({ title }) => title)).toEqual([
      "goal",
      "a",
      "a1",
    ]);
    expect(await ready(db)).toEqual([]);
  });

  test("one task exists per source, however often it is made", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const [first] = await add(db, { title: "a", source: "github:o/r#1" });
    expect(await add(db, { title: "changed", source: "github:o/r#1" }, { title: "part", parent: first })).toEqual([
      first,
      (first ?? 0) + 1,
    ]);
    expect((await readTask(db, first ?? 0)).task.title).toBe("a");
  });

  test("lists filter, search and page in the order of work", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const due = new Date("2026-12-01T00:00:00Z");
    await add(
      db,
      { title: "low", priority: -5, labels: ["b", "a"] },
      { title: "late 50%", due: new Date("2027-01-01T00:00:00Z") },
      { title: "early", due, assignee: "me", body: "The Needle, hidden" },
      { title: "none" },
      { title: "high", urgency: "high", priority: -100 },
      { title: "now", urgency: "now", labels: ["a"] },
    );
    const order = ["now", "high", "early", "late 50%", "none", "low"];
    expect(await ready(db)).toEqual(order);
    const paged: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Awaited<ReturnType<typeof listTasks>> = await listTasks(db, { limit: 2, cursor });
      paged.push(...page.rows.map(({ title }) => title));
      cursor = page.cursor;
    }
    expect(paged).toEqual(order);
    for (const [filter, titles] of [
      [{ labels: ["a"] }, ["now", "low"]],
      [{ labels: ['"'] }, []],
      [{ assignee: "me" }, ["early"]],
      [{ search: "needle EARLY" }, ["early"]],
      [{ search: "50%" }, ["late 50%"]],
      [{ search: "%" }, ["late 50%"]],
      [{ dueBefore: new Date(due.getTime() + 1) }, ["early"]],
      [{ state: "done" }, []],
    ] as const) {
      expect(
        (await listTasks(db, { ...filter, limit: 9 })).rows.map(({ title }) => title),
        JSON.stringify(filter),
      ).toEqual(titles);
    }
    expect(await countTasks(db, { labels: ["a"] }, 10)).toBe(2);
    expect(await countTasks(db, {}, 3)).toBe(3);
    await expect(listTasks(db, { limit: 1, cursor: "x" })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("the next one is none that is assigned to somebody else", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await add(
      db,
      { title: "theirs", urgency: "now", assignee: "gemini-cli" },
      { title: "almost mine", urgency: "high", assignee: "CLAUDE" },
      { title: "mine", assignee: "Claude-Code" },
      { title: "anybody's" },
    );
    const next = async (actor: string) => (await claimTask(db, { by: { actor, traceId: null } }))?.title;
    expect([await next("claude-code 2.1"), await next("claude-code 2.1"), await next("claude-code 2.1")]).toEqual([
      "mine",
      "anybody's",
      undefined,
    ]);
    expect([await next("gemini-cli"), await next("claude 1.0")]).toEqual(["theirs", "almost mine"]);
  });

  test("an edit keeps what was there before, and one that changes nothing leaves no trace", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const [id = 0] = await add(db, { title: "a", labels: ["x"], due: new Date(0) });
    await updateTask(db, { id, change: { title: "a", labels: ["x"], due: new Date(0) }, by });
    await updateTask(db, { id, change: { title: " b \n c ", urgency: "now", due: null }, by: other });
    await addNote(db, { id, text: "a note\nof two lines", by: other });
    const { task, history } = await readTask(db, id);
    expect(task).toMatchObject({ title: "b c", urgency: "now", due: null });
    expect(history.map(({ kind }) => kind)).toEqual(["created", "edited", "note"]);
    expect(JSON.parse(history[1]?.detail ?? "")).toEqual({
      title: "a",
      urgency: "normal",
      due: "1970-01-01T00:00:00.000Z",
    });
    expect(history[2]).toMatchObject({ actor: "other-host 2.0", detail: "a note\nof two lines" });
    await expect(updateTask(db, { id, change: { title: " " }, by })).rejects.toMatchObject({
      code: "invalid_argument",
    });
    await expect(updateTask(db, { id: 99, change: { title: "x" }, by })).rejects.toMatchObject({
      code: "task_not_found",
    });
  });

  test("whoever listens hears of what ended, once it is committed", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const [id = 0] = await add(db, { title: "a", labels: ["z", "b c"] });
    const heard = Promise.withResolvers<unknown>();
    await store.listen(tasksChannel, (payload) => {
      const notice = parseTaskNotice(payload);
      if (notice?.kind === "ended") heard.resolve(notice);
    });
    await claimTask(db, { by, leaseSeconds: longestLeaseSeconds });
    const done = await finishTask(db, { id, state: "done", result: null, by });
    expect(readLabels(done.labels)).toEqual(["b c", "z"]);
    expect(await heard.promise).toEqual({ kind: "ended", taskId: id });
  });
});
