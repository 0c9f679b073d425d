import { describe, expect, test } from "vitest";
import { storeKinds, testStore } from "../../tests/support/store.ts";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import { formatAgentId } from "./agent-id.ts";
import { type AgentOrder, type Limits, modelChoice, oracleSchema } from "./agent-order.ts";
import type { AgentsDeps } from "./agents-deps.ts";
import { cancelAgent } from "./cancel-agent.ts";
import { listAgents, readSteps, requireAgent } from "./read-agents.ts";
import { spawnAgent } from "./spawn-agent.ts";
import { waitForAgent } from "./wait-for-agent.ts";

const limits: Limits = {
  turns: 10,
  toolCalls: 20,
  tokens: 10_000,
  usd: 1,
  timeoutMs: 60_000,
  contextTokens: 8_000,
  outputTokens: 1_000,
  depth: 1,
};

const order: AgentOrder = {
  role: "researcher",
  prompt: "Find out.\nAnd tell.",
  depth: 0,
  folder: null,
  dedupeKey: null,
  requestedBy: "person",
  traceId: "t",
};

function depsOf(store: Store): AgentsDeps {
  return {
    store,
    log: silentLog,
    async requireRole(name) {
      if (name !== "researcher") throw new UserError("not_approved", `no ${name}`);
      return { version: 3, manifest: { limits } };
    },
    async requireCommand(name) {
      if (name !== "judge") throw new UserError("not_approved", `no ${name}`);
    },
  };
}

describe.each(storeKinds)("asking for an agent on %s", (kind) => {
  test("it is queued with what was ordered, and the same key brings back the same one", async () => {
    await using store = await testStore(kind);
    const deps = depsOf(store);
    const agent = await spawnAgent(deps, { ...order, dedupeKey: "k", schema: null, urgency: "high" });
    expect(agent).toMatchObject({ state: "queued", title: "Find out.", schema: "null", urgency: "high", lease: 0 });
    expect(await spawnAgent(deps, { ...order, dedupeKey: "k", prompt: "other" })).toEqual(agent);
    const other = await spawnAgent(deps, { ...order, planId: 4 });
    expect((await listAgents(store.db, { limit: 1 })).cursor).toBe(formatAgentId(other.id));
    expect((await listAgents(store.db, { limit: 5, planId: 4, state: ["queued"] })).rows).toEqual([other]);
    expect(await readSteps(store.db, { agentId: agent.id, tail: 5 })).toEqual([]);
  });

  test("cancelling reaches those that it asked for, and ends what has not begun", async () => {
    await using store = await testStore(kind);
    const deps = depsOf(store);
    const parent = await spawnAgent(deps, order);
    const child = await spawnAgent(deps, { ...order, parentAgent: parent.id, depth: 1 });
    const waiting = waitForAgent({ store }, child.id, { waitSeconds: 30, signal: new AbortController().signal });
    expect(await cancelAgent(store.db, { id: formatAgentId(parent.id), by: "person" })).toMatchObject({
      state: "cancelled",
      cancel_requested_by: "person",
    });
    expect(await waiting).toMatchObject({ state: "cancelled" });
    await expect(cancelAgent(store.db, { id: parent.id, by: "person" })).rejects.toMatchObject({
      code: "agent_not_active",
    });
    await expect(requireAgent(store.db, "A999")).rejects.toMatchObject({ code: "agent_not_found" });
    await expect(requireAgent(store.db, "T1")).rejects.toMatchObject({ code: "invalid_argument" });
  });
});

test("what may not be is refused", async () => {
  await using store = await testStore();
  const refused: [Partial<AgentOrder>, string][] = [
    [{ role: "stranger" }, "not_approved"],
    [{ depth: 9 }, "permission_denied"],
    [{ schema: { type: "nonsense" } }, "invalid_argument"],
    [{ oracle: { kind: "schema", schema: { type: "nonsense" } } }, "invalid_argument"],
    [{ oracle: { kind: "command", command: "stranger", args: [] } }, "not_approved"],
    [{ oracle: { kind: "model", role: "stranger" } }, "not_approved"],
    [{ oracle: { kind: "test", source: "export default (" } }, "invalid_argument"],
  ];
  for (const [change, code] of refused) {
    await expect(spawnAgent(depsOf(store), { ...order, ...change }), code).rejects.toMatchObject({ code });
  }
});

test("models and oracles are read strictly", () => {
  expect(modelChoice.safeParse({ provider: "ollama", model: "qwen3:4b" }).success).toBe(true);
  expect(modelChoice.safeParse({ provider: "elsewhere", model: null }).success).toBe(false);
  expect(oracleSchema.safeParse({ kind: "test", source: "export default () => {}" }).success).toBe(true);
  expect(oracleSchema.parse({ kind: "command", command: "x" })).toEqual({ kind: "command", command: "x", args: [] });
  expect(oracleSchema.safeParse({ kind: "command" }).success).toBe(false);
});
