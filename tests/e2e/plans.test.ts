import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { e2eHome, must, saveJob } from "../support/e2e-home.ts";

const job = `import { defineJob, z } from "jobrunner";
export default defineJob({
  description: "Doubles a number",
  input: z.object({ n: z.number() }),
  async run({ input }) {
    return { twice: input.n * 2 };
  },
});
`;

test("a plan of jobs, the host and the person: results flow along its edges, each node is a task, and the report tells of all", async () => {
  await using home = await e2eHome();
  saveJob(home, "double", job);
  await using host = await home.host();
  home.setUpUnprotected();
  await expect.poll(async () => (await home.jr(["review", "double"])).code, { timeout: 60_000, interval: 500 }).toBe(0);
  must(await home.approve("double"));

  const nodes = [
    { key: "first", job: "double", input: { n: 4 } },
    { key: "again", job: "double", input: { n: "${first.output.twice}" } },
    { key: "look", kind: "host", prompt: "Is ${again.output.twice} right?" },
    { key: "agree", kind: "person", prompt: "Agree?", needs: ["look"] },
  ];
  const dry = await host.call("plan_create", { goal: "double twice", nodes, dry_run: true });
  expect(dry.text).toContain("4 nodes in 4 levels");
  expect((await host.call("plan_control", { action: "list" })).text).toContain("No plans");

  const made = await host.call("plan_create", { goal: "double twice", nodes });
  expect(made.text).toContain("P1 is running");
  await expect
    .poll(async () => (await host.call("plan_control", { plan: "P1" })).text, { timeout: 30_000 })
    .toMatch(/For you: T\d+/);
  const task = /For you: (T\d+)/.exec((await host.call("plan_control", { plan: "P1" })).text)?.[1];
  expect(task).toBeDefined();

  // A task of the plan's own is nobody else's, and the person's is not the host's.
  const goal = join(home.root, "goal.yaml");
  writeFileSync(goal, "goal: x\nnodes:\n  - { key: a, job: double, input: { n: 1 } }\n  - { key: b, job: dubble }\n");
  const wrong = await home.jr(["plan-run", goal]);
  expect(wrong.stderr).toContain('goal.yaml:4: there is no job "dubble" (did you mean "double"?)');
  writeFileSync(goal, "goal: x\nnodes:\n  - { key: a, job: double, input: { n: 1 } }\n");
  const ran = must(await home.jr(["plan-run", goal]));
  expect(ran.stdout).toContain("# P2 succeeded");
  expect(must(await home.jr(["plan-show", "P2", "--node", "a"])).stdout).toBe('{"twice":2}\n');
  expect(must(await home.jr(["plans"])).stdout).toMatch(/P2 +succeeded/);
  expect(must(await home.jr(["plans", "cancel", "P1"])).stdout).toContain("P1");
  await expect
    .poll(async () => must(await home.jr(["plan-show", "P1"])).stdout, { timeout: 20_000 })
    .toContain("# P1 cancelled");
  const folder = join(home.root, "home", "plans", "P1");
  await expect.poll(() => existsSync(join(folder, "report.md"))).toBe(true);
  expect(readFileSync(join(folder, "again", "output.json"), "utf8")).toBe('{"twice":16}');
}, 240_000);
