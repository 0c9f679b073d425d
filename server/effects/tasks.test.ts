import { expect, test } from "vitest";
import { performEffect, prepareEffect } from "../../tests/support/effects.ts";
import { testManifest, testPermissions } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { taskService } from "../daemon/task-service.ts";
import { readTask } from "../tasks/read-task.ts";

test("a job makes, reads, changes and ends tasks in its own name", async () => {
  await using store = await testStore();
  const { db } = store;
  const tasks = (op: string, args: object) =>
    performEffect(`tasks.${op}`, args, { db, permissions: { tasks: "write" }, services: { tasks: taskService } });
  const made = await tasks("create", {
    tasks: [
      { title: "Look", key: "look", due: "2026-12-01", labels: ["feeds"] },
      { title: "Mend", dependsOn: ["look"], body: "with care" },
      { title: "Agree", forPerson: true },
    ],
  });
  expect(made).toEqual({ tasks: ["T1", "T2", "T3"] });
  expect(await tasks("list", { label: "feeds", ready: true })).toMatchObject({ tasks: [{ task: "T1" }], cursor: null });
  expect(await tasks("get", { task: "T2" })).toEqual({
    task: "T2",
    title: "Mend",
    body: "with care",
    state: "open",
    urgency: "normal",
    priority: 0,
    complexity: "medium",
    labels: [],
    due: null,
    assignee: null,
    parent: null,
    needs: ["T1"],
    waits: true,
    forPerson: false,
    result: null,
    createdBy: "job test R7",
  });
  expect(await tasks("get", { task: "T99" })).toBeNull();
  await tasks("update", { task: "T1", change: { note: "again", urgency: "high", due: null } });
  await tasks("complete", { task: "T1", state: "done", result: "seen" });
  expect(await tasks("list", { state: "ended" })).toMatchObject({ tasks: [{ task: "T1", result: "seen", due: null }] });
  expect((await readTask(db, 1)).history.map(({ kind, actor }) => [kind, actor])).toEqual(
    ["created", "edited", "note", "done"].map((kind) => [kind, "job test R7"]),
  );
  for (const [op, args, code] of [
    ["complete", { task: "T3", state: "done", result: null }, "task_not_yours"],
    ["update", { task: "T9", change: {} }, "task_not_found"],
    ["create", { tasks: [{ title: "a", key: "a", dependsOn: ["a"] }] }, "task_cycle"],
  ] as const) {
    await expect(tasks(op, args)).rejects.toMatchObject({ code });
  }
});

test("the signed manifest says whether tasks are read or written", () => {
  const prepare = (op: string, tasks: "read" | "write" | null) =>
    prepareEffect(`tasks.${op}`, argsOf(op), testManifest({ permissions: testPermissions({ tasks }) }));
  const argsOf = (op: string) =>
    op === "list" ? {} : op === "create" ? { tasks: [{ title: "x" }] } : { task: "T1", ...more(op) };
  const more = (op: string) =>
    op === "update" ? { change: {} } : op === "complete" ? { state: "done", result: null } : {};
  for (const op of ["create", "update", "complete"]) {
    for (const granted of ["read", null] as const) expect(() => prepare(op, granted)).toThrow('tasks: "write"');
    expect(prepare(op, "write").rehearse).toBeDefined();
  }
  for (const op of ["list", "get"]) {
    expect(() => prepare(op, null)).toThrow('tasks: "read"');
    expect(prepare(op, "read").rehearse).toBeUndefined();
    prepare(op, "write");
  }
});
