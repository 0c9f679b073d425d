import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../server/log.ts";
import { createPlan } from "../../server/plans/create-plan.ts";
import { type NodeRunner, noUsage } from "../../server/plans/node-runner.ts";
import { planReport } from "../../server/plans/plan-report.ts";
import { planSpec } from "../../server/plans/plan-spec.ts";
import { requirePlan } from "../../server/plans/read-plan.ts";
import { readReportMaterial } from "../../server/plans/read-report.ts";
import { startPlans } from "../../server/plans/start-plans.ts";
import { waitForPlan } from "../../server/plans/wait-for-plan.ts";
import { openStore } from "../../server/store/open-store.ts";
import { percentile, print } from "./figures.ts";

/*
 * What a plan costs besides its work: graphs of nodes that do nothing, with everything on record, beside Promise.all over the same
 * calls. `node tests/bench/plans.ts` prints it, and how many tokens a report takes.
 */

const rounds = 5;
const shapes = [
  { name: "5 levels of 4", levels: 5, wide: 4 },
  { name: "5 levels of 20", levels: 5, wide: 20 },
  { name: "a chain of 20", levels: 20, wide: 1 },
];
const caps = {
  ...{ agents: 1_000, depth: 3, tokens: 1_000, usd: 1, wallMs: 3_600_000, parallel: 64, attempts: 1 },
};
const charsPerToken = 3.6;

const folder = await mkdtemp(join(tmpdir(), "jobrunner-bench-"));
const noop = async (key: string) => `${key} is done`;
{
  await using store = await openStore({ dataDir: join(folder, "data"), databaseUrl: null, log: silentLog });
  let begun = 0;
  let nudge = () => {};
  const runner: NodeRunner = {
    async start({ node }) {
      await noop(node.key);
      nudge();
      return { agentId: ++begun };
    },
    look: async ({ key }) => ({ state: "succeeded", output: await noop(key), usage: noUsage }),
    cancel: async () => undefined,
  };
  await using plans = await startPlans({
    ...{ store, plansFolder: join(folder, "plans"), host: "bench", owner: "bench", log: silentLog },
    runners: {
      ...{ agent: runner, merge: runner, job: runner, command: runner },
      person: runner,
      host: runner,
      decompose: runner,
    },
    random: Math.random,
    onRest: async () => undefined,
  });
  nudge = plans.nudge;

  for (const { name, levels, wide } of shapes) {
    const keys = (level: number) => Array.from({ length: wide }, (_, at) => `n${level}-${at}`);
    const nodes = Array.from({ length: levels }, (_, level) =>
      keys(level).map((key) => ({ key, role: "r", prompt: "p", needs: level === 0 ? [] : keys(level - 1) })),
    ).flat();
    const spec = planSpec.parse({ goal: `${name} nodes that do nothing`, nodes });
    const ours: number[] = [];
    const plain: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      const order = { spec, caps, hold: false, origin: "host", requestedBy: "bench", traceId: "bench" } as const;
      const { id } = await createPlan(store, order);
      const ended = await waitForPlan({ store }, id, { waitSeconds: 120, signal: new AbortController().signal });
      ours.push(performance.now() - started);
      if (ended.state !== "succeeded") throw new Error(`the plan is ${ended.state}`);
      const before = performance.now();
      for (let level = 0; level < levels; level++) await Promise.all(keys(level).map(noop));
      plain.push(performance.now() - before);
      if (round > 0) continue;
      const config = { home: { plans: join(folder, "plans") }, timezone: "UTC" };
      const report = planReport(
        await readReportMaterial(store.db, await requirePlan(store.db, id), { config, now: new Date() }),
      );
      print(`report of ${name}`, `about ${Math.ceil(report.length / charsPerToken)} tokens`);
    }
    const [mine, peer] = [percentile(ours, 0.5), percentile(plain, 0.5)];
    print(`${name} no-op nodes: made, run, each on record with task and file`, `${mine.toFixed(0)} ms p50`);
    print(
      `  overhead per node (Promise.all over the same calls: ${peer.toFixed(2)} ms)`,
      `${((mine - peer) / (levels * wide)).toFixed(1)} ms`,
    );
  }
}
await rm(folder, { recursive: true, force: true });
