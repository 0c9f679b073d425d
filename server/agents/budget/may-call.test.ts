import { expect, test } from "vitest";
import { storeKinds, testStore } from "../../../tests/support/store.ts";
import { configFile } from "../../config-schema.ts";
import { silentLog } from "../../log.ts";
import type { Db, Store } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import type { AgentOrder, Limits } from "../agent-order.ts";
import { claimAgents } from "../queue.ts";
import { requireAgent } from "../read-agents.ts";
import { readStats } from "../routing/model-stats.ts";
import { spawnAgent } from "../spawn-agent.ts";
import { type CallOrder, mayCall, usedByPlan, usedInADay } from "./may-call.ts";
import { settleCall, settleCutOff } from "./settle-call.ts";

const limits: Limits = {
  turns: 100,
  toolCalls: 10,
  tokens: 1_000,
  usd: 0.5,
  timeoutMs: 60_000,
  contextTokens: 8_000,
  outputTokens: 100,
  depth: 0,
};
const plain = configFile.parse({}).agents;
const cloud = {
  enabled: true,
  command: "x",
  model: null,
  env: {},
  usdPerMillion: { input: 1_000, output: 1_000 },
  timeoutMs: 1,
};
const config: CallOrder["config"] = {
  budget: { ...plain.budget, usdPerDay: 1, tokensPerDay: null },
  cloud: { claude: cloud, gemini: cloud, codex: cloud },
};

async function claimed(store: Store, count: number, order: Partial<AgentOrder> = {}): Promise<Row<"agents">[]> {
  const requireRole = async () => ({ version: 1, manifest: { limits } });
  const deps = { store, log: silentLog, requireRole, requireCommand: async () => {} };
  const whole = {
    role: "r",
    prompt: "p",
    depth: 0,
    folder: null,
    dedupeKey: null,
    requestedBy: "person",
    traceId: "t",
  };
  for (let i = 0; i < count; i++) await spawnAgent(deps, { ...whole, ...order });
  return claimAgents(store.db, { owner: "test", limit: count });
}

/** Calls until it is refused; each takes all the output that it may. Returns the reason. */
async function spend(
  db: Db,
  agent: Row<"agents">,
  change: Partial<CallOrder> = {},
  provider = "ollama" as const as CallOrder["request"]["provider"],
): Promise<string> {
  for (;;) {
    const lease = { agentId: agent.id, lease: agent.lease };
    const request = { provider, model: "m", promptTokens: 50, rawTokens: 50 };
    const order = { ...lease, attempt: 1, limits, request, maxOutputTokens: 100, planCaps: null, config, ...change };
    const leave = await mayCall(db, order);
    if (!leave.ok) return leave.message;
    const used = {
      tokens: { prompt: 50, output: leave.maxOutputTokens },
      costMicroUsd: Math.round((leave.maxUsd ?? 0) * 1e6),
    };
    const result = { text: "x", toolCalls: [], finish: "stop", promptTokens: 50 } as const;
    await settleCall(db, { ...lease, n: leave.step, result: { ...result, toolCalls: [] }, used });
  }
}

test.each(storeKinds)("caps of agents, plans and days hold for agents that call at once (%s)", async (kind) => {
  await using store = await testStore(kind);
  const { db } = store;

  const [alone] = await claimed(store, 1);
  if (alone === undefined) throw new Error("none");
  expect(await spend(db, alone)).toContain("its limit of 1000 tokens");
  expect(await requireAgent(db, alone.id)).toMatchObject({
    tokens_in: 350,
    tokens_out: 650,
    reserved_tokens: 0,
    turns: 7,
  });

  const planned = await claimed(store, 6, { planId: 3 });
  const planCaps = { tokens: 2_000, usd: null };
  const said = await Promise.all(planned.map((agent) => spend(db, agent, { planCaps })));
  expect(said.some((why) => why.includes("the plan's cap of 2000 tokens"))).toBe(true);
  const plan = await usedByPlan(db, 3);
  expect(plan.tokens).toBeLessThanOrEqual(2_000);
  expect(plan.tokens).toBeGreaterThan(1_850);

  const paying = await claimed(store, 6);
  const wide = { ...limits, tokens: 1_000_000 };
  const paid = await Promise.all(paying.map((agent) => spend(db, agent, { limits: wide }, "claude")));
  expect(paid.every((why) => why.includes("dollars"))).toBe(true);
  const day = await usedInADay(db);
  expect(day.microUsd).toBeLessThanOrEqual(1_000_000);
  expect(day.microUsd).toBeGreaterThan(900_000);
  for (const { id } of paying) expect((await requireAgent(db, id)).cost_microusd).toBeLessThanOrEqual(500_000);
  const stats = await readStats(db, { role: "r" });
  expect(stats.find(({ provider }) => provider === "claude")).toMatchObject({ cost_microusd: day.microUsd, errors: 0 });
});

test("what a crash cut off counts as if all that was reserved had been used", async () => {
  await using store = await testStore();
  const { db } = store;
  const [agent] = await claimed(store, 1);
  if (agent === undefined) throw new Error("none");
  const lease = { agentId: agent.id, lease: agent.lease };
  const request = { provider: "claude", model: null, promptTokens: 50, rawTokens: 50 } as const;
  const leave = await mayCall(db, {
    ...lease,
    attempt: 1,
    limits,
    request,
    maxOutputTokens: 100,
    planCaps: null,
    config,
  });
  expect(leave).toMatchObject({ ok: true, maxOutputTokens: 100 });
  const reserved = (await requireAgent(db, agent.id)).reserved_microusd;
  expect(reserved).toBe(225_000);
  await settleCutOff(db, agent.id);
  expect(await requireAgent(db, agent.id)).toMatchObject({
    tokens_in: 50,
    tokens_out: 100,
    reserved_tokens: 0,
    cost_microusd: reserved,
    reserved_microusd: 0,
  });
  await expect(
    mayCall(db, { ...lease, lease: 9, attempt: 1, limits, request, maxOutputTokens: 1, planCaps: null, config }),
  ).rejects.toThrow("not ours");
});

test("a model answers for its own failures, not for those of its server or of the budget", async () => {
  await using store = await testStore();
  const { db } = store;
  const [agent] = await claimed(store, 1);
  if (agent === undefined) throw new Error("none");
  const lease = { agentId: agent.id, lease: agent.lease };
  const request = { provider: "ollama", model: "m", promptTokens: 50, rawTokens: 50 } as const;
  for (const code of ["model_unavailable", "model_missing", "model_failed", "budget_exceeded"]) {
    const leave = await mayCall(db, {
      ...lease,
      attempt: 1,
      limits,
      request,
      maxOutputTokens: 100,
      planCaps: null,
      config,
    });
    if (!leave.ok) throw new Error(leave.message);
    await settleCall(db, { ...lease, n: leave.step, result: { error: { code, message: "" } }, used: null });
  }
  expect(await readStats(db, { role: "r" })).toMatchObject([{ calls: 4, errors: 1 }]);
});
