import { expect, test } from "vitest";
import { e2eHome, must } from "../support/e2e-home.ts";
import { webServer } from "../support/web-server.ts";

const source = (port: number, word: string) => `import { defineJob, z } from "jobrunner";
export default defineJob({
  description: "Counts what a server says",
  schedule: { cron: "* * * * * *", timezone: "UTC" },
  permissions: { net: [{ host: "127.0.0.1:${port}", private: true }] },
  input: z.object({ path: z.string().default("/") }),
  async run({ input, kv, log }) {
    const response = await fetch("http://127.0.0.1:${port}" + input.path);
    const count = ((await kv.get<number>("count")) ?? 0) + 1;
    await kv.set("count", count);
    log.info("${word} " + (await response.text()) + " #" + count);
    return { word: "${word}", count };
  },
});
`;

test("an agent writes a job, a person signs it, it runs on schedule, and an edit does not run unsigned", async () => {
  await using web = await webServer((_, response) => response.end("hello"));
  await using home = await e2eHome();
  await using host = await home.host();
  expect((await host.client.listTools()).tools.map((tool) => tool.name)).toContain("job_submit");

  const submitted = await host.call("job_submit", { name: "greeter", source: source(web.port, "first") });
  expect(submitted.text).toContain("approve greeter");

  const tooEarly = await host.call("job_run", { name: "greeter" });
  expect(tooEarly.isError).toBe(true);
  expect(tooEarly.text).toContain("not_approved");

  await home.setUp();
  const waiting = host.call("job_review", { name: "greeter", wait_seconds: 50 });
  must(await home.approve("greeter"));
  expect((await waiting).text).toMatch(/approved/i);

  const ran = await host.call("job_run", { name: "greeter", input: { path: "/here" }, wait_seconds: 30 });
  expect(ran.text).toContain("succeeded");
  expect(web.requests.map((request) => request.url)).toContain("/here");

  const run = /R\d+/.exec(ran.text)?.[0];
  expect((await host.call("run_read", { run, part: "log" })).text).toContain("first hello #");
  expect((await host.call("run_read", { run, part: "effects" })).text).toMatch(/fetch[\s\S]*kv\.set/);

  await expect
    .poll(async () => (await host.call("run_list", { job: "greeter" })).text, { timeout: 20_000 })
    .toContain("schedule");

  await host.call("job_submit", { name: "greeter", source: source(web.port, "second") });
  const again = await host.call("job_run", { name: "greeter", wait_seconds: 30 });
  const againRun = /R\d+/.exec(again.text)?.[0];
  const log = await host.call("run_read", { run: againRun, part: "log" });
  expect(log.text).toContain("first hello");
  expect(log.text).not.toContain("second");
});

test("a daemon killed with -9 in the middle of a run comes back, says what became of it, and goes on", async () => {
  await using web = await webServer((request, response) => {
    if (request.url !== "/slow") response.end("quick");
  });
  await using home = await e2eHome();
  await home.setUp();
  const slow = source(web.port, "slow").replace('  schedule: { cron: "* * * * * *", timezone: "UTC" },\n', "");
  {
    await using host = await home.host();
    await host.call("job_submit", { name: "slow", source: slow });
    must(await home.approve("slow"));
    await host.call("job_run", { name: "slow", input: { path: "/slow" } });
    await expect.poll(() => web.requests.length, { timeout: 20_000 }).toBe(1);
    process.kill(home.daemonPid(), "SIGKILL");
  }
  await using host = await home.host();
  const list = async () => (await host.call("run_list", { job: "slow" })).text;
  await expect.poll(list, { timeout: 30_000 }).toContain("crashed");
  expect((await host.call("status")).text).toContain("slow");
  const ran = await host.call("job_run", { name: "slow", wait_seconds: 30 });
  expect(ran.text).toContain("succeeded");
});
