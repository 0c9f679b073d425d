import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agentsFixture } from "../agents/agents-fixture.ts";
import { findPlanCaps } from "../daemon/agents/find-plan-caps.ts";
import { silentLog } from "../log.ts";
import { agentRunner } from "./agent-runner.ts";
import { createPlan } from "./create-plan.ts";
import { readNodeError } from "./node-error.ts";
import { planSpec } from "./plan-spec.ts";
import { readPlanNodes, readPlanUsage } from "./read-plan.ts";
import { requirePlanRoom } from "./require-plan-room.ts";
import { startPlans } from "./start-plans.ts";
import { waitForPlan } from "./wait-for-plan.ts";

test("the agents of a plan never use more than its caps on agents and tokens, and what they refuse is not tried again", async () => {
  await using fixture = await agentsFixture({ reply: () => ({ pieces: Array(40).fill("word "), promptTokens: 200 }) });
  const { store } = fixture;
  const folder = mkdtempSync(join(tmpdir(), "plans-"));
  const agent = agentRunner({ ...fixture.deps, requirePlanRoom });
  await using _plans = await startPlans({
    ...{ store, plansFolder: folder, host: "here", owner: "test", log: silentLog, random: () => 5 },
    runners: { agent, merge: agent, job: agent, command: agent, person: agent, host: agent, decompose: agent },
    onRest: async () => undefined,
  });
  fixture.supervise(3, { planCaps: (planId) => findPlanCaps(store.db, planId) });

  const plan = async (nodes: number, change: object) => {
    const spec = planSpec.parse({
      goal: "spend",
      nodes: Array.from({ length: nodes }, (_, at) => ({ key: `n${at}`, role: "researcher", prompt: "Say it." })),
    });
    const caps = { agents: 50, depth: 3, tokens: 10_000, usd: 1, wallMs: 600_000, parallel: 1, attempts: 3, ...change };
    const { id } = await createPlan(store, {
      ...{ spec, caps, hold: false, origin: "host", requestedBy: "host", traceId: "trace" },
    });
    const { state } = await waitForPlan({ store }, id, { waitSeconds: 50, signal: new AbortController().signal });
    const rows = await readPlanNodes(store.db, id);
    const refused = rows.flatMap(({ error, attempt }) => {
      const read = readNodeError(error);
      return read === null ? [] : [{ class: read.class, attempt }];
    });
    return { state, usage: await readPlanUsage(store.db, id), refused, done: nodes - refused.length };
  };

  const tokens = 900;
  const oneCall = 240;
  const spent = await plan(6, { tokens });
  expect(spent.state).toBe("failed");
  expect(spent.usage.tokens).toBeGreaterThan(oneCall);
  expect(spent.usage.tokens).toBeLessThanOrEqual(tokens + oneCall);
  expect(spent.done).toBeGreaterThan(0);
  expect(spent.refused.length).toBeGreaterThan(0);

  const few = await plan(4, { agents: 2, parallel: 4 });
  expect(few.usage.agents).toBe(2);
  for (const each of [...spent.refused, ...few.refused]) expect(each).toEqual({ class: "budget", attempt: 1 });
  expect(few.refused.length).toBe(2);
  rmSync(folder, { recursive: true });
});
