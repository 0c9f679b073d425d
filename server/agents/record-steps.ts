import { sql } from "kysely";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import { storableText } from "../store/text.ts";
import type { Step } from "./loop/step.ts";
import type { AgentLease } from "./queue.ts";

/** Thrown where an agent's lease is no longer held: whatever its process still does counts for nothing. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

export type NewStep = AgentLease &
  Readonly<{
    attempt: number;
    step: Step;
    /** Of a tool or an oracle. */
    name?: string | undefined;
    model?: Readonly<{ provider: string; model: string | null; reservedTokens: number; reservedMicroUsd: number }>;
  }>;

/** Writes that a step begins, or with a result that it has been done; its number. Throws LeaseLost. */
export async function recordStep(db: Db, { agentId, lease, attempt, step, name, model }: NewStep): Promise<number> {
  return inTransaction(db, async (trx) => {
    const { rows } = await sql<{ n: number }>`
      insert into agent_steps (agent_id, n, attempt, kind, state, name, request, result, ok, provider, model,
        reserved_tokens, reserved_microusd, started_at, ended_at)
      select a.id, coalesce((select max(n) from agent_steps where agent_id = a.id), 0) + 1, ${attempt}::integer, ${step.kind},
        ${step.result === null ? "intent" : "done"}, ${name ?? null}, ${json(step.request)},
        ${step.result === null ? null : json(step.result)}, ${step.result === null ? null : isOk(step)}::boolean,
        ${model?.provider ?? null}, ${model?.model ?? null}, ${model?.reservedTokens ?? 0}::bigint,
        ${model?.reservedMicroUsd ?? 0}::bigint, clock_timestamp(), ${step.result === null ? null : sql`clock_timestamp()`}
      from agents a where a.id = ${agentId} and a.lease = ${lease} and a.state = 'running'
      returning n`.execute(trx);
    const n = rows[0]?.n;
    if (n === undefined) throw new LeaseLost(`agent ${agentId} is not ours any more`);
    if (step.kind === "tool") await countToolCall(trx, agentId);
    return n;
  });
}

async function countToolCall(trx: Db, agentId: number): Promise<void> {
  await trx
    .updateTable("agents")
    .set({ tool_calls: sql<number>`tool_calls + 1`, lost: 0 })
    .where("id", "=", agentId)
    .execute();
}

/** Writes the result of a step that has begun. Throws LeaseLost. */
export async function finishStep(
  db: Db,
  { agentId, lease, n, step }: AgentLease & Readonly<{ n: number; step: Step }>,
): Promise<void> {
  const { numAffectedRows } = await sql`
    update agent_steps s set state = 'done', result = ${json(step.result)}, ok = ${isOk(step)}::boolean,
      ended_at = clock_timestamp()
    from agents a
    where s.agent_id = ${agentId} and s.n = ${n} and s.state = 'intent'
      and a.id = s.agent_id and a.lease = ${lease} and a.state = 'running'`.execute(db);
  if (numAffectedRows !== 1n) throw new LeaseLost(`agent ${agentId} is not ours any more`);
}

function json(value: unknown): string {
  return storableText(JSON.stringify(value));
}

function isOk(step: Step): boolean {
  switch (step.kind) {
    case "model":
      return step.result !== null && !("error" in step.result);
    case "tool":
      return step.result !== null && !step.result.isError;
    case "oracle":
      return step.result?.verdict === "pass";
    default:
      return true;
  }
}
