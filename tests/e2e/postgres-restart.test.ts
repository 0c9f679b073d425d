import { expect, test } from "vitest";
import { e2eHome, must } from "../support/e2e-home.ts";
import { startCluster } from "../support/postgres-cluster.ts";

const source = `import { defineJob } from "jobrunner";
export default defineJob({
  description: "Counts its runs",
  schedule: { cron: "* * * * * *" },
  async run({ kv }) {
    const count = ((await kv.get<number>("count")) ?? 0) + 1;
    await kv.set("count", count);
    return count;
  },
});
`;

test.runIf(process.env.TEST_STORE === "postgres")(
  "schedules go on after PostgreSQL crashed and came back",
  async (context) => {
    const cluster = await startCluster();
    if (!cluster) return context.skip("this machine has no PostgreSQL server of its own to restart");
    try {
      await using home = await e2eHome({ databaseUrl: cluster.url });
      home.setUpUnprotected();
      await using host = await home.host();
      await host.mustCall("job_submit", { name: "counter", source });
      must(await home.approve("counter"));
      const runs = async () =>
        (await host.call("run_list", { job: "counter", limit: 100 })).text.split("succeeded").length - 1;
      await expect.poll(runs, { timeout: 20_000 }).toBeGreaterThan(1);
      const daemon = home.daemonPid();
      for (let crash = 0; crash < 2; crash += 1) {
        const before = await runs();
        cluster.restart();
        await expect.poll(runs, { timeout: 30_000 }).toBeGreaterThan(before + 1);
      }
      expect(home.daemonPid()).toBe(daemon);
    } finally {
      cluster.stop();
    }
  },
);
