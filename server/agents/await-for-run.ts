import type { AwaitedAgent } from "../effects/services.ts";
import { UserError } from "../errors.ts";
import type { Store } from "../store/open-store.ts";
import { readAgentError } from "./agent-error.ts";
import { formatAgentId } from "./agent-id.ts";
import { requireAgent } from "./read-agents.ts";
import { waitForAgent } from "./wait-for-agent.ts";

/** How an agent ended that a run has started, once it has. Throws agent_not_found for any other agent. */
export async function awaitForRun(
  deps: Readonly<{ store: Store }>,
  { handle, parent }: Readonly<{ handle: string; parent: number }>,
  signal: AbortSignal,
): Promise<AwaitedAgent> {
  const { id, parent_run } = await requireAgent(deps.store.db, handle);
  if (parent_run !== parent) {
    throw new UserError("agent_not_found", `${formatAgentId(id)} was not started by this run.`);
  }
  const ended = await waitForAgent(deps, id, { waitSeconds: Number.POSITIVE_INFINITY, signal });
  signal.throwIfAborted();
  const error = readAgentError(ended.error);
  const json = parseJson(ended.output);
  return {
    agent: formatAgentId(id),
    state: ended.state,
    text: ended.output,
    ...(json === undefined ? {} : { json }),
    tokens: ended.tokens_in + ended.tokens_out,
    usd: ended.cost_microusd / 1e6,
    error: error === null ? null : { reason: error.reason, message: error.message },
  };
}

function parseJson(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
