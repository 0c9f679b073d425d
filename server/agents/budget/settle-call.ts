import { sql } from "kysely";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import type { StepOf } from "../loop/step.ts";
import { parseStep } from "../parse-step.ts";
import type { ChatAnswer } from "../providers/types.ts";
import type { AgentLease } from "../queue.ts";
import { finishStep } from "../record-steps.ts";
import { addToStats } from "../routing/model-stats.ts";

export type SettleCall = AgentLease &
  Readonly<{
    n: number;
    result: NonNullable<StepOf<"model">["result"]>;
    /** What it used, as the provider tells; null where the call failed. */
    used: Pick<ChatAnswer, "tokens" | "costMicroUsd"> | null;
  }>;

/** Records how a call ended, and puts what it used in the place of what was reserved for it. Throws LeaseLost. */
export async function settleCall(db: Db, { agentId, lease, n, result, used }: SettleCall): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const row = await requireStep(trx, agentId, n);
    const step = parseStep(row);
    if (step.kind !== "model") throw new Error(`step ${n} of agent ${agentId} is no call of a model`);
    await finishStep(trx, { agentId, lease, n, step: { ...step, result } });
    const failed = "error" in result;
    await moveReserved(trx, row, {
      tokensIn: used?.tokens.prompt ?? 0,
      tokensOut: used?.tokens.output ?? 0,
      microUsd: used?.costMicroUsd ?? 0,
    });
    if (!failed) {
      await trx
        .updateTable("agents")
        .set({ turns: sql<number>`turns + 1`, lost: 0 })
        .where("id", "=", agentId)
        .execute();
    }
    await addToStats(trx, await statsKey(trx, row), {
      calls: 1,
      // A server that is away says nothing about its model, and must not send the work of months to a dearer one.
      errors: failed && result.error.code === "model_failed" ? 1 : 0,
      tokens_in: used?.tokens.prompt ?? 0,
      tokens_out: used?.tokens.output ?? 0,
      cost_microusd: used?.costMicroUsd ?? 0,
      busy_ms: Math.max(0, Date.now() - row.started_at.getTime()),
    });
  });
}

/**
 * Ends the calls that a crash has cut off: nobody knows what they used, so all that was reserved for them counts as used. Their
 * tools' outcomes stay unknown.
 */
export async function settleCutOff(db: Db, agentId: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const open = await trx
      .selectFrom("agent_steps")
      .selectAll()
      .where("agent_id", "=", agentId)
      .where("state", "=", "intent")
      .orderBy("n")
      .execute();
    for (const row of open) {
      await trx
        .updateTable("agent_steps")
        .set({ state: "done", ok: false, ended_at: sql<Date>`now()` })
        .where("agent_id", "=", agentId)
        .where("n", "=", row.n)
        .execute();
      if (row.kind !== "model") continue;
      const step = parseStep(row);
      const tokensIn = step.kind === "model" ? Math.min(step.request.promptTokens, row.reserved_tokens) : 0;
      const tokensOut = row.reserved_tokens - tokensIn;
      await moveReserved(trx, row, { tokensIn, tokensOut, microUsd: row.reserved_microusd });
    }
  });
}

async function moveReserved(
  trx: Db,
  row: Row<"agent_steps">,
  { tokensIn, tokensOut, microUsd }: Readonly<{ tokensIn: number; tokensOut: number; microUsd: number }>,
): Promise<void> {
  await trx
    .updateTable("agent_steps")
    .set({
      tokens_in: tokensIn,
      tokens_out: tokensOut,
      cost_microusd: microUsd,
      reserved_tokens: 0,
      reserved_microusd: 0,
    })
    .where("agent_id", "=", row.agent_id)
    .where("n", "=", row.n)
    .execute();
  await trx
    .updateTable("agents")
    .set({
      tokens_in: sql<number>`tokens_in + ${tokensIn}::bigint`,
      tokens_out: sql<number>`tokens_out + ${tokensOut}::bigint`,
      cost_microusd: sql<number>`cost_microusd + ${microUsd}::bigint`,
      reserved_tokens: sql<number>`reserved_tokens - ${row.reserved_tokens}::bigint`,
      reserved_microusd: sql<number>`reserved_microusd - ${row.reserved_microusd}::bigint`,
    })
    .where("id", "=", row.agent_id)
    .execute();
}

async function requireStep(trx: Db, agentId: number, n: number): Promise<Row<"agent_steps">> {
  return trx
    .selectFrom("agent_steps")
    .selectAll()
    .where("agent_id", "=", agentId)
    .where("n", "=", n)
    .executeTakeFirstOrThrow();
}

async function statsKey(trx: Db, { agent_id, provider, model }: Row<"agent_steps">) {
  const { role, complexity } = await trx
    .selectFrom("agents")
    .select(["role", "complexity"])
    .where("id", "=", agent_id)
    .executeTakeFirstOrThrow();
  return { role, complexity, provider: provider ?? "", model: model ?? "" };
}
