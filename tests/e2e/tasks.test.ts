import { expect, test } from "vitest";
import { e2eHome, must } from "../support/e2e-home.ts";

test("a host and a person work on the same tasks, and what is for the person no host ends", {
  timeout: 180_000,
}, async () => {
  await using home = await e2eHome();
  await using host = await home.host();
  const call = async (name: string, args: Record<string, unknown>) => (await host.call(name, args)).text;
  await call("task_create", {
    tasks: [
      { title: "Find a name", key: "find", urgency: "high" },
      { title: "Choose one", key: "choose", depends_on: ["find"], for_person: true },
      { title: "Register it", depends_on: ["choose"] },
    ],
  });
  expect(await call("task_update", { task: "next", action: "claim" })).toContain("T1 Find a name is yours");
  expect((await home.jr(["task", "claim", "T1"])).stderr).toMatch(
    /T1 is held by .+ \(claim 1\) until[\s\S]*jr task list/,
  );
  expect(await call("task_update", { task: "T1", action: "done", claim: 1, text: "three of them" })).toBe(
    "T1 is done. Ready: T2 Choose one.",
  );
  expect(await call("task_list", { ready: true })).toContain("No ready tasks");
  expect(await call("task_update", { task: "T2", action: "done" })).toContain("task_not_yours");
  const done = must(await home.jr(["task", "done", "T2", "the", "first"]));
  expect([done.stdout, done.stderr]).toEqual(["T2 Choose one: done\n", "ready now: T3\n"]);
  expect(await call("task_read", { task: "T2" })).toMatch(/the first[\s\S]*done by person/);
  expect(await call("task_list", { ready: true })).toMatch(/^- \*\*T3\*\* Register it · open$/);
});

const maker = `import { defineJob } from "jobrunner";
export default defineJob({
  description: "Works with tasks, and fails for want of a third",
  permissions: { tasks: "write" },
  async run({ tasks }) {
    const task = await tasks.create({ title: "By a job", due: new Date("2026-12-01T00:00:00Z") });
    const made = await tasks.create([{ title: "A", key: "a" }, { title: "B", dependsOn: ["a"] }]);
    await tasks.complete(task, { result: "ok" });
    const { tasks: ready } = await tasks.list({ ready: true });
    throw new Error([task, ...made, ready.map(({ title }) => title), (await tasks.get(task))?.state].join(" "));
  },
});
`;

test("a job makes and ends tasks, and its failure is a task until it is dismissed", { timeout: 240_000 }, async () => {
  await using home = await e2eHome();
  await using host = await home.host();
  home.setUpUnprotected();
  await host.mustCall("job_submit", { name: "maker", source: maker });
  must(await home.approve("maker"));
  const ran = await host.call("job_run", { name: "maker", wait_seconds: 50 });
  expect(ran.text).toContain("T1 T2 T3 A done");
  expect((await host.call("task_read", { task: "T1" })).text).toMatch(
    /created by job maker R1 \(trace \w+\)[\s\S]*done by job maker R1/,
  );
  const failing = () => host.call("task_list", { label: "alert" }).then(({ text }) => text);
  await expect
    .poll(failing, { timeout: 60_000 })
    .toBe("- **T4** Job maker fails · open · urgency high · #alert · #job:maker");
  expect((await host.call("task_read", { task: "T4" })).text).toMatch(
    /about run R1[\s\S]*untrusted[\s\S]*T1 T2 T3 A done/,
  );
  must(await home.jr(["dismiss", "--job", "maker"]));
  await expect.poll(failing, { timeout: 60_000 }).toContain("No tasks");
});
