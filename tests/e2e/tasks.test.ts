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
