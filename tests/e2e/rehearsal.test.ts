import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { e2eHome, must } from "../support/e2e-home.ts";

const job = (body: string) => `import { defineJob, z } from "jobrunner";
export default defineJob({
  description: "a job of a test",
  permissions: { net: ["api.example.org"] },
  input: z.object({ times: z.number().default(1) }),
  async run({ input, kv, log, sleep }) { ${body} },
});
`;
const fetching = job(
  `const r = await fetch("https://api.example.org/x"); await sleep("3d"); return { text: await r.text(), times: input.times };`,
);
const counting = (step: number) =>
  job(
    `const n = Number((await kv.get("n")) ?? 0) + ${step}; await kv.set("n", n); log.info("n is " + n + Math.random()); return Date.now();`,
  );

test("jr plan shows what a file would do, with mocks, and stores nothing", async () => {
  await using home = await e2eHome();
  must(await home.jr(["start"]));
  const file = join(home.root, "plan-me.ts");
  const mocks = join(home.root, "mocks.json");
  writeFileSync(file, fetching);
  writeFileSync(mocks, JSON.stringify([{ op: "fetch", result: { status: 200, body: "hello" } }]));
  expect(must(await home.jr(["plan", file])).stdout).toMatch(/^failed: 1 GET; unknown from effect 1 on/);
  const planned = must(await home.jr(["plan", file, "--mocks", mocks, "--input", '{"times": 3}']));
  expect(planned.stdout).toMatch(
    /^succeeded: 1 GET, 1 sleep\n1\. fetch GET .*\[mock\]\n2\. sleep .*\noutput: \{"text":"hello","times":3\}/,
  );
  expect(must(await home.jr(["jobs", "--json"])).stdout).not.toContain("plan-me");
  writeFileSync(mocks, `[{"op": "fetch"}]`);
  const wrong = await home.jr(["plan", file, "--mocks", mocks]);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("give either result or error") });
});

test("an agent sees what its job would do, the person what a new version would have done, and jr replay does a run again", async () => {
  await using home = await e2eHome();
  home.setUpUnprotected();
  await using host = await home.host();
  const submit = async (source: string) => (await host.call("job_submit", { name: "counts", source })).text;

  const first = await submit(counting(1));
  expect(first).toContain("succeeded: 1 kv.get, 1 kv.set");
  expect(/Rehearsed without mocks[\s\S]*?\n```\n/.exec(first)?.[0].split("\n").length).toBeLessThan(12);
  const mocked = await host.call("job_rehearse", {
    name: "counts",
    source: fetching,
    mocks: [{ op: "fetch", match: { url: "*/x" }, result: { status: 200, body: "hello" } }],
  });
  expect(mocked).toMatchObject({ isError: false, text: expect.stringContaining('"text":"hello"') });
  const bad = await host.call("job_rehearse", { name: "counts", source: fetching, mocks: [{ op: "fetch" }] });
  expect(bad).toMatchObject({ isError: true, text: expect.stringContaining("either result or error") });

  must(await home.approve("counts"));
  must(await home.jr(["run", "counts", "--wait"]));
  expect(must(await home.jr(["replay", "R1"])).stdout).toMatch(/^Identical\. R1, attempt 1 \(succeeded\): 2 effects/);

  await submit(counting(5));
  const changed = 'R1 (succeeded): changed: kv.set {"key":"n","value":1} → kv.set {"key":"n","value":5}';
  expect((await host.call("job_review", { name: "counts" })).text).toContain(changed);
  expect(must(await home.jr(["review", "counts"])).stdout.replace(/\s+/g, " ")).toContain(changed);
});
