import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type E2eHome, e2eHome, must } from "../support/e2e-home.ts";

const inbox = (folder: string) => `import { defineJob } from "jobrunner";
export default defineJob({
  description: "Takes in files, and writes beside them",
  triggers: { files: ["${folder}"], webhook: true },
  permissions: { files: { write: ["${folder}"] } },
  async run({ run, files }) {
    const event = run.event;
    if (event?.kind === "files") {
      await files.write("${folder}/report.txt", event.changes.map(({ path }) => path).join("\\n"));
      return event.changes.map(({ path, change }) => change + " " + path.slice(${folder.length + 1}));
    }
    if (event?.kind === "webhook") return { body: event.body, from: event.headers["x-from"] };
    return "by hand";
  },
});
`;
const follower = `import { defineJob } from "jobrunner";
export default defineJob({
  description: "Goes after inbox",
  triggers: { after: ["inbox"] },
  priority: 10,
  run: ({ run }) => (run.event?.kind === "after" ? { after: run.event.run, got: run.event.output } : "by hand"),
});
`;

async function outputs(home: E2eHome, job: string): Promise<unknown[]> {
  const { rows } = JSON.parse(must(await home.jr(["runs", "--job", job, "--json"])).stdout);
  return rows
    .toReversed()
    .filter(({ state }: { state: string }) => state === "succeeded")
    .map(({ output }: { output: string }) => JSON.parse(output));
}

test("files, a webhook and another job start runs, through the doors, once each and across a kill", {
  timeout: 180_000,
}, async () => {
  await using home = await e2eHome();
  const folder = join(home.root, "inbox");
  mkdirSync(folder);
  writeFileSync(join(folder, "old.txt"), "there before");
  home.setUpUnprotected();
  await using host = await home.host();
  await host.mustCall("job_submit", { name: "inbox", source: inbox(folder) });
  await host.mustCall("job_submit", { name: "follower", source: follower });
  const review = must(await home.jr(["review", "inbox"])).stdout;
  expect(review).toContain("WEBHOOK: whoever knows its secret address may start it");
  expect(review).toContain(`FILES: is started when something in ${folder} changes`);
  expect(must(await home.jr(["review", "follower"])).stdout).toMatch(/AFTER: is started when inbox succeeds/);
  expect((await home.jr(["webhook", "inbox"])).code).toBe(1);
  must(await home.approve("inbox"));
  must(await home.approve("follower"));
  const next = must(await home.jr(["next"])).stdout;
  expect(next).toContain("after a run of inbox has succeeded");
  expect(next).toContain("when somebody posts to its secret address");
  expect((await host.call("job_read", { name: "follower" })).text).toContain(
    "started after a run of inbox has succeeded",
  );

  const address = must(await home.jr(["webhook", "inbox"])).stdout.trim();
  expect(must(await home.jr(["webhook", "inbox"])).stdout).not.toContain(address.split("/").at(-1));
  const post = (url: string) =>
    fetch(url, { method: "POST", body: "hello", headers: { "x-from": "test", "idempotency-key": "1" } });
  const taken = await post(address);
  expect([taken.status, await taken.json()]).toEqual([202, { run: "R1", created: true }]);
  expect(await (await post(address)).json()).toEqual({ run: "R1", created: false });
  expect((await post(address.replace(/.$/, (last) => (last === "A" ? "B" : "A")))).status).toBe(404);
  await expect
    .poll(() => outputs(home, "follower"), { timeout: 30_000 })
    .toEqual([{ after: "R1", got: { body: "hello", from: "test" } }]);
  expect((await host.call("run_read", { run: "R1" })).text).toContain('"body": "hello"');
  expect(must(await home.jr(["runs"])).stdout).toMatch(/R2 .*after R1/);
  expect(must(await home.jr(["replay", "R1"])).stdout).toContain("Identical");
  expect(must(await home.jr(["replay", "R2"])).stdout).toContain("Identical");

  writeFileSync(join(folder, "new.txt"), "came in");
  await expect.poll(() => outputs(home, "inbox"), { timeout: 30_000 }).toContainEqual(["added new.txt"]);
  process.kill(home.daemonPid(), "SIGKILL");
  writeFileSync(join(folder, "while down.txt"), "nobody watched");
  must(await home.jr(["start"]));
  await expect.poll(() => outputs(home, "inbox"), { timeout: 30_000 }).toContainEqual(["added while down.txt"]);
  // The job wrote its own report into the folder each time, which started nothing: each run had another cause.
  await expect.poll(async () => (await outputs(home, "follower")).length, { timeout: 30_000 }).toBe(3);
  writeFileSync(join(folder, "last.txt"), "once more");
  await expect.poll(() => outputs(home, "inbox"), { timeout: 30_000 }).toContainEqual(["added last.txt"]);
  expect(await outputs(home, "inbox")).toHaveLength(4);
  expect(must(await home.jr(["webhook", "inbox", "--remove"])).stderr).toContain("starts nothing any more");
});

test("a run is asked for at a time, is shown as coming, and can be cancelled", async () => {
  await using home = await e2eHome();
  home.setUpUnprotected();
  await using host = await home.host();
  await host.mustCall("job_submit", { name: "follower", source: follower });
  must(await home.approve("follower"));
  expect(must(await home.jr(["run", "follower", "--in", "2h"])).stdout).toMatch(/R1 queued, starts \d{4}-/);
  const asked = await host.call("job_run", { name: "follower", at: "2999-01-01T08:00" });
  expect(asked).toMatchObject({ isError: true, text: expect.stringContaining("a year ahead") });
  expect((await host.call("job_run", { name: "follower", in: "1h" })).text).toMatch(/R2 of follower is queued, due/);
  const next = must(await home.jr(["next"])).stdout;
  expect(next.match(/R[12], asked for by .*/g)).toEqual(["R2, asked for by e2e-host 1.0.0", "R1, asked for by person"]);
  must(await home.jr(["cancel", "R1"]));
  expect(must(await home.jr(["run", "follower", "--in", "1s", "--wait"])).stdout).toContain("succeeded");
  expect(must(await home.jr(["next"])).stdout).not.toContain("R1,");
});
