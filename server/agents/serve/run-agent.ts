import { UserError } from "../../errors.ts";
import type { Row } from "../../store/tables.ts";
import type { AgentError } from "../agent-error.ts";
import type { ServeDeps } from "../agents-deps.ts";
import { runAgentProcess } from "../process/agent-process.ts";
import type { AgentSettlement } from "../queue.ts";
import { addToStats } from "../routing/model-stats.ts";
import { createHandlers, failures, type Session } from "./create-handlers.ts";
import { type Prepared, prepareAgent } from "./prepare-agent.ts";

/** Works on a claimed agent until it ends, or the signal aborts. It settles nothing. Throws LeaseLost, and what the store throws. */
export async function runAgent(
  deps: ServeDeps,
  agent: Row<"agents">,
  { signal, whileWaiting }: Pick<Session, "signal" | "whileWaiting">,
): Promise<AgentSettlement> {
  let prepared: Prepared;
  try {
    prepared = await prepareAgent(deps, agent);
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    return { state: "failed", error: refusalOf(thrown) };
  }
  await deps.store.db
    .updateTable("agents")
    .set({ role_version: prepared.version })
    .where("id", "=", agent.id)
    .execute();
  const { timeoutMs } = prepared.limits;
  const leftMs = timeoutMs - agent.active_ms;
  const timedOut: AgentSettlement = {
    state: "failed",
    error: {
      reason: "timeout",
      class: "timeout",
      message: `it took longer than ${Math.round(timeoutMs / 1_000)} seconds`,
    },
  };
  if (leftMs <= 0) return timedOut;
  const time = AbortSignal.timeout(leftMs);
  const ended = new AbortController();
  const session: Session = {
    deps,
    agent,
    prepared,
    whileWaiting,
    signal: AbortSignal.any([signal, time, ended.signal]),
  };
  try {
    const end = await runAgentProcess({
      start: prepared.start,
      handlers: createHandlers(session),
      log: deps.log.child({ agent: agent.id }),
      signal: AbortSignal.any([signal, time]),
    });
    if ("end" in end) {
      if (end.end.state === "failed") await countFailure(deps, agent, end.end.error);
      return end.end;
    }
    if ("died" in end) return { state: "lost", message: `its process died: ${end.died}` };
    return signal.aborted ? { state: "cancelled" } : timedOut;
  } catch (thrown) {
    if (signal.aborted) return { state: "cancelled" };
    if (time.aborted) return timedOut;
    // Its role was changed or revoked while it worked.
    if (thrown instanceof UserError) return { state: "failed", error: refusalOf(thrown) };
    throw thrown;
  } finally {
    ended.abort(new Error("the agent's process has ended"));
  }
}

function refusalOf({ code, message, next }: UserError): AgentError {
  const text = next === undefined ? message : `${message} Next: ${next}.`;
  switch (code) {
    case "provider_missing":
      return { reason: "provider_missing", class: "permanent", message: text };
    case "store_unavailable":
    case "disk_full":
    case "too_many_files":
      return { reason: "internal", class: "transient", message: text };
    default:
      return { reason: "not_approved", class: "policy", message: text };
  }
}

async function countFailure({ store }: ServeDeps, agent: Row<"agents">, { reason }: AgentError): Promise<void> {
  if (!failures.includes(reason)) return;
  const last = await store.db
    .selectFrom("agents")
    .select(["provider", "model"])
    .where("id", "=", agent.id)
    .executeTakeFirst();
  if (last?.provider == null) return;
  const key = { role: agent.role, complexity: agent.complexity, provider: last.provider, model: last.model ?? "" };
  await addToStats(store.db, key, { failed: 1 });
}
