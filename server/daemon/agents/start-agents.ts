import type { SharedContext } from "../../../tools/tool-context.ts";
import type { ServeDeps } from "../../agents/agents-deps.ts";
import { agentsDeps } from "../../agents/role-reader.ts";
import { runAgent } from "../../agents/serve/run-agent.ts";
import { type Supervisor, startSupervisor } from "../../agents/supervisor.ts";
import { requireDefinition } from "../../definitions/read-definitions.ts";
import { runSignedCommand } from "../../definitions/run-signed-command.ts";
import type { EffectServices } from "../../effects/services.ts";
import { createSlots } from "../../llm/slots.ts";
import { requests } from "../../mcp/requests.ts";
import type { Base } from "../open-base.ts";
import { runAnswerTest } from "./run-answer-test.ts";

type Settings = Readonly<{
  /** Unique per process. */
  owner: string;
  services: EffectServices;
  planCaps: ServeDeps["planCaps"];
  /** What JobRunner's tools work with when an agent calls them. */
  context: () => SharedContext;
}>;

/** Starts to work on agents. Disposing it stops their processes and puts them back: they go on from their steps. */
export function startAgents(
  base: Base,
  { owner, services, planCaps, context }: Settings,
): Supervisor & AsyncDisposable {
  const { config, store, approvals, pool, secrets, clock } = base;
  const log = base.log.child({ part: "agents" });
  const definitions = { store, approvals };
  const deps: ServeDeps = {
    ...agentsDeps({ store, approvals, log }),
    requireSigned: (kind, name) => requireDefinition(definitions, kind, name),
    config,
    secrets,
    services,
    planCaps,
    tools: requests.listTools().tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
    async callTool({ name, arguments: args }, agent, signal) {
      // As hosts call them, so that history and audit say who it was.
      const client = { name: `agent A${agent.id}`, version: `(${agent.role})` };
      const boundary = { context: async () => ({ ...context(), agent }), log, client, signal };
      const { content, isError } = await requests.callTool(boundary, { name, arguments: args });
      const text = content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
      return { content: text, isError: isError === true };
    },
    runCommand: (order) => runSignedCommand({ ...definitions, secrets }, order),
    runTest: (test, signal) => runAnswerTest({ pool, clock }, test, signal),
    ollamaSlots: createSlots(config.ollama.concurrency),
    backoffMs: 1_000,
    clock,
  };
  const supervisor = startSupervisor({
    store,
    run: (agent, how) => runAgent(deps, agent, how),
    log,
    max: config.agents.max,
    owner,
  });
  return { ...supervisor, [Symbol.asyncDispose]: supervisor.drain };
}
