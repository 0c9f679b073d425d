import { type OllamaChat, type OllamaReply, ollamaServer } from "../../tests/support/ollama-server.ts";
import { testServices } from "../../tests/support/runs.ts";
import { configFile } from "../config-schema.ts";
import { definitionsFixture, testRole } from "../definitions/definitions-fixture.ts";
import { requireDefinition } from "../definitions/read-definitions.ts";
import type { RoleManifest } from "../definitions/role-manifest.ts";
import { runSignedCommand } from "../definitions/run-signed-command.ts";
import { createSlots } from "../llm/slots.ts";
import { silentLog } from "../log.ts";
import type { Row } from "../store/tables.ts";
import type { AgentOrder } from "./agent-order.ts";
import type { ServeDeps } from "./agents-deps.ts";
import { readSteps } from "./read-agents.ts";
import { agentsDeps } from "./role-reader.ts";
import { runAgent } from "./serve/run-agent.ts";
import { spawnAgent } from "./spawn-agent.ts";
import { type Supervisor, startSupervisor } from "./supervisor.ts";
import { waitForAgent } from "./wait-for-agent.ts";

type Setup = Readonly<{
  roles?: Readonly<Record<string, Partial<RoleManifest>>>;
  reply?: (chat: OllamaChat, index: number) => OllamaReply;
  models?: readonly string[];
  deps?: Partial<ServeDeps>;
  /** Answers at a time. */
  slots?: number;
}>;

/** An order with nothing special. */
export const testOrder: AgentOrder = {
  role: "researcher",
  prompt: "Find out.",
  depth: 0,
  folder: null,
  dedupeKey: null,
  requestedBy: "person",
  traceId: "trace",
};

/** Signed roles, a stand-in for Ollama, and all that a supervisor needs; agents' processes are real. */
export async function agentsFixture({
  roles = { researcher: {} },
  reply,
  models,
  deps: change,
  slots = 4,
}: Setup = {}) {
  const fixture = await definitionsFixture();
  const { store, approvals } = fixture.deps;
  const ollama = await ollamaServer({
    models: models ?? ["qwen3:4b", "large"],
    ...(reply === undefined ? {} : { reply }),
  });
  for (const [name, manifest] of Object.entries(roles)) {
    await fixture.storeDefinition("role", name, testRole(manifest));
    await fixture.sign("role", name);
  }
  const { agents } = configFile.parse({});
  const cloud = { enabled: false, command: "none", model: null, env: {}, usdPerMillion: null, timeoutMs: 1_000 };
  const definitions = { store, approvals };
  const deps: ServeDeps = {
    ...agentsDeps({ store, approvals, log: silentLog }),
    requireSigned: (kind, name) => requireDefinition(definitions, kind, name),
    config: {
      agents: { ...agents, cloud: { claude: cloud, gemini: cloud, codex: cloud } },
      ollama: { url: ollama.url, keepAlive: "5m", concurrency: 4 },
      home: fixture.home,
    },
    secrets: () => ({ get: () => undefined, names: () => [] }),
    services: testServices({ homeFolder: fixture.home.root }),
    planCaps: async () => null,
    tools: [],
    callTool: async () => ({ content: "there are none", isError: true }),
    runCommand: (order) => runSignedCommand({ ...definitions, secrets: deps.secrets }, order),
    runTest: async () => ({ ok: true, reason: "" }),
    ollamaSlots: createSlots(slots),
    backoffMs: 10,
    clock: () => new Date(),
    ...change,
  };
  const supervisors: Supervisor[] = [];
  let started = 0;
  const supervise = (max = 3, how: Partial<ServeDeps> = {}): Supervisor => {
    started += 1;
    const supervisor = startSupervisor({
      store,
      run: (agent, session) => runAgent({ ...deps, ...how }, agent, session),
      log: silentLog,
      max,
      owner: `test:${started}`,
    });
    supervisors.push(supervisor);
    return supervisor;
  };
  const never = new AbortController().signal;
  return {
    ...fixture,
    store,
    ollama,
    deps,
    supervise,
    spawn: (order: Partial<AgentOrder> = {}) => spawnAgent(deps, { ...testOrder, ...order }),
    end: (agent: Row<"agents">) => waitForAgent({ store }, agent.id, { waitSeconds: 120, signal: never }),
    steps: async (agent: Row<"agents">) => {
      const rows = await readSteps(store.db, { agentId: agent.id });
      return rows.map(({ kind, name, state, ok, result }) => ({ kind, name, state, ok, result }));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(supervisors.map((supervisor) => supervisor.drain()));
      await ollama[Symbol.asyncDispose]();
      await fixture[Symbol.asyncDispose]();
    },
  };
}
