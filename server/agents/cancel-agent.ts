import { sql } from "kysely";
import { UserError } from "../errors.ts";
import { recordEvent } from "../runs/events.ts";
import { formatRunId } from "../runs/run-id.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { formatAgentId } from "./agent-id.ts";
import { sendAgentNotice } from "./agent-notices.ts";
import { isAgentFinal, requireAgent } from "./read-agents.ts";
import { wakeWaitingRun } from "./wake-waiting-run.ts";

export type CancelAgentOrder = Readonly<{ id: string | number; by: string; traceId?: string | null | undefined }>;

/**
 * Cancels an agent that waits or goes on, and those that it asked for. Throws `agent_not_found`, and `agent_not_active` where it has
 * ended.
 */
export async function cancelAgent(db: Db, { id, by, traceId }: CancelAgentOrder): Promise<Row<"agents">> {
  return inTransaction(db, async (trx) => {
    const agent = await requireAgent(trx, id);
    if (isAgentFinal(agent.state)) {
      throw new UserError("agent_not_active", `${formatAgentId(agent.id)} has ended already: ${agent.state}.`, {
        next: `agent_read {"agent": "${formatAgentId(agent.id)}"}`,
      });
    }
    await cancelTree(trx, agent, by, traceId);
    return requireAgent(trx, agent.id);
  });
}

/** Cancels the agents of runs that have ended without them: nobody waits for their answers any more. */
export async function cancelOrphans(db: Db): Promise<void> {
  const find = (from: Db) =>
    from
      .selectFrom("agents")
      .innerJoin("runs", "runs.id", "agents.parent_run")
      .selectAll("agents")
      .where("agents.state", "in", ["queued", "running"])
      .where("agents.cancel_requested_at", "is", null)
      .where("runs.state", "not in", ["queued", "running", "suspended", "needs_decision"])
      .execute();
  // Almost always there are none, and a look is cheaper than a transaction.
  if ((await find(db)).length === 0) return;
  await inTransaction(db, async (trx) => {
    for (const agent of await find(trx)) {
      await cancelTree(trx, agent, `the end of ${formatRunId(agent.parent_run ?? 0)}`, agent.trace_id);
    }
  });
}

async function cancelTree(trx: Db, root: Row<"agents">, by: string, traceId: string | null | undefined): Promise<void> {
  await recordEvent(trx, {
    kind: "agent.cancelled",
    actor: by,
    subject: `agent:${formatAgentId(root.id)}`,
    detail: { was: root.state },
    traceId,
  });
  const { rows } = await sql<Row<"agents">>`
    with recursive tree (id) as (
      select id from agents where id = ${root.id}
      union select a.id from agents a join tree on a.parent_agent = tree.id
    )
    update agents set cancel_requested_at = coalesce(cancel_requested_at, now()),
      cancel_requested_by = coalesce(cancel_requested_by, ${by}),
      state = case when state = 'queued' then 'cancelled' else state end,
      finished_at = case when state = 'queued' then now() end
    where id in (select id from tree) and state in ('queued', 'running') returning *`.execute(trx);
  for (const { id: agentId, state, parent_run } of rows) {
    await sendAgentNotice(trx, { kind: isAgentFinal(state) ? "ended" : "cancel", agentId });
    if (isAgentFinal(state)) await wakeWaitingRun(trx, parent_run);
  }
}
