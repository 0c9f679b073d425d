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
  await using home = await e2eHome({ bare: true });
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

  await host.mustCall("job_submit", { name: "greeter", source: source(web.port, "second") });
  const again = await host.call("job_run", { name: "greeter", wait_seconds: 30 });
  const againRun = /R\d+/.exec(again.text)?.[0];
  const log = await host.call("run_read", { run: againRun, part: "log" });
  expect(log.text).toContain("first hello");
  expect(log.text).not.toContain("second");
});
