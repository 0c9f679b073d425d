import { expect, test } from "vitest";
import { testStore } from "../../tests/support/store.ts";
import { claimTask } from "../tasks/claim-task.ts";
import { createTasks } from "../tasks/create-tasks.ts";
import { glanceAtWork } from "./glance-at-work.ts";

const by = { actor: "test", traceId: null };

test("a glance tells what can be taken now, and what only the person can finish", async () => {
  await using store = await testStore();
  const { db } = store;
  await createTasks(db, {
    tasks: [
      { key: "first", title: "first" },
      { title: "second", dependsOn: ["first"] },
      { title: "sign the lease", openTo: "person" },
      { title: "taken" },
    ],
    by,
  });
  await claimTask(db, { filter: { search: "taken" }, by });
  const work = await glanceAtWork(db, 10);
  expect(work.ready.first.map(({ title }) => title)).toEqual(["first"]);
  expect(work.ready.count).toBe(1);
  expect(work.forPerson.map(({ title }) => title)).toEqual(["sign the lease"]);
  expect({ plans: work.plans, agents: work.agents }).toEqual({ plans: [], agents: { running: 0, queued: 0 } });
});
