import { createWake } from "../runs/wake.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { agentsChannel, parseAgentNotice } from "./agent-notices.ts";
import { isAgentFinal, requireAgent } from "./read-agents.ts";

/** A notification can be lost, so the agent is looked at this often in any case. */
const lookMs = 1_000;

export type AgentWait = Readonly<{
  /** Infinity waits for the end, however long it takes. */
  waitSeconds: number;
  /** Aborting ends the wait, not the agent. */
  signal: AbortSignal;
}>;

/** The agent once it has ended, or as it is when the time is up or the signal aborts. Throws agent_not_found. */
export async function waitForAgent(
  { store }: Readonly<{ store: Store }>,
  id: number,
  { waitSeconds, signal }: AgentWait,
): Promise<Row<"agents">> {
  const deadline = performance.now() + waitSeconds * 1_000;
  const wake = createWake();
  signal.addEventListener("abort", wake.ring);
  const unlisten = await store.listen(agentsChannel, (payload) => {
    const notice = parseAgentNotice(payload);
    if (notice?.kind === "ended" && notice.agentId === id) wake.ring();
  });
  try {
    for (;;) {
      const agent = await requireAgent(store.db, id);
      const leftMs = deadline - performance.now();
      if (isAgentFinal(agent.state) || leftMs <= 0 || signal.aborted) return agent;
      await wake.wait(Math.min(lookMs, leftMs));
    }
  } finally {
    signal.removeEventListener("abort", wake.ring);
    await unlisten();
  }
}
