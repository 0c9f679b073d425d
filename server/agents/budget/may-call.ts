import { sql } from "kysely";
import type { AgentsConfig } from "../../config.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import type { Limits } from "../agent-order.ts";
import type { CallLeave } from "../loop/loop-host.ts";
import type { StepOf } from "../loop/step.ts";
import type { AgentLease } from "../queue.ts";
import { LeaseLost, recordStep } from "../record-steps.ts";
import { estimateMicroUsd } from "./estimate-cost.ts";

/** Most that a whole plan may use; null for no limit. */
export type Caps = Readonly<{ tokens: number | null; usd: number | null }>;

export type CallOrder = AgentLease &
  Readonly<{
    attempt: number;
    limits: Limits;
    request: StepOf<"model">["request"];
    maxOutputTokens: number;
    planCaps: Caps | null;
    config: Pick<AgentsConfig, "budget" | "cloud">;
  }>;

/** An answer that may not be longer than this is not worth a call. */
const leastOutput = 16;
/** An estimate of money is multiplied by this, so that most calls cost less than what is reserved for them. */
const caution = 1.5;
const leastMicroUsd = 10_000;

/**
 * Whether an agent may put a question to a model, by its own limits, its plan's caps and what cloud models may use in 24 hours. What
 * the call may use at most is reserved together with the step that it begins, under a lock, so that calls that are asked for at the same time
 * do not all take the last of a budget. Throws LeaseLost.
 */
export async function mayCall(db: Db, order: CallOrder): Promise<CallLeave> {
  return db.transaction().execute(async (trx) => {
    // The next statement's snapshot must be taken after the lock is held.
    await sql`select pg_advisory_xact_lock(hashtext('jobrunner.agents.budget'))`.execute(trx);
    const agent = await trx
      .selectFrom("agents")
      .selectAll()
      .where("id", "=", order.agentId)
      .where("lease", "=", order.lease)
      .where("state", "=", "running")
      .forUpdate()
      .executeTakeFirst();
    if (agent === undefined) throw new LeaseLost(`agent ${order.agentId} is not ours any more`);
    const left = await leftOver(trx, agent, order);
    const { promptTokens } = order.request;
    const maxOutputTokens = Math.min(order.maxOutputTokens, left.tokens.amount - promptTokens);
    if (maxOutputTokens < Math.min(leastOutput, order.maxOutputTokens)) return refusal(left.tokens);
    const paid = order.request.provider !== "ollama";
    if (paid && left.microUsd.amount <= 0) return refusal(left.microUsd);
    const reserved = paid ? reservation(order, maxOutputTokens, left.microUsd.amount) : 0;
    const { provider, model } = order.request;
    const step = await recordStep(trx, {
      ...order,
      step: { kind: "model", request: order.request, result: null },
      model: { provider, model, reservedTokens: promptTokens + maxOutputTokens, reservedMicroUsd: reserved },
    });
    await trx
      .updateTable("agents")
      .set({
        reserved_tokens: sql<number>`reserved_tokens + ${promptTokens + maxOutputTokens}::bigint`,
        reserved_microusd: sql<number>`reserved_microusd + ${reserved}::bigint`,
        provider,
        model,
      })
      .where("id", "=", agent.id)
      .execute();
    return { ok: true, step, maxOutputTokens, maxUsd: paid ? reserved / 1e6 : null };
  });
}

function reservation({ request, config }: CallOrder, maxOutputTokens: number, leftMicroUsd: number): number {
  const estimate = estimateMicroUsd(config.cloud, request, { prompt: request.promptTokens, output: maxOutputTokens });
  return Math.min(leftMicroUsd, Math.max(leastMicroUsd, Math.ceil(estimate * caution)));
}

/** The tightest of several budgets, with its name in words. */
type Left = Readonly<{ amount: number; what: string; scope: "agent" | "model" }>;

function refusal({ amount, what, scope }: Left): CallLeave {
  const message = amount > 0 ? `what is left of ${what} (${amount}) is too little for a call` : `${what} is used up`;
  return { ok: false, scope, message };
}

async function leftOver(trx: Db, agent: Row<"agents">, order: CallOrder): Promise<{ tokens: Left; microUsd: Left }> {
  const { limits, planCaps, config } = order;
  const tokens: Left[] = [
    {
      amount: limits.tokens - agent.tokens_in - agent.tokens_out - agent.reserved_tokens,
      what: `its limit of ${limits.tokens} tokens`,
      scope: "agent",
    },
  ];
  const microUsd: Left[] = [
    {
      amount: Math.round(limits.usd * 1e6) - agent.cost_microusd - agent.reserved_microusd,
      what: `its limit of ${limits.usd} dollars`,
      scope: "model",
    },
  ];
  if (agent.plan_id !== null && planCaps !== null) {
    const used = await usedByPlan(trx, agent.plan_id);
    if (planCaps.tokens !== null)
      tokens.push({
        amount: planCaps.tokens - used.tokens,
        what: `the plan's cap of ${planCaps.tokens} tokens`,
        scope: "agent",
      });
    if (planCaps.usd !== null)
      microUsd.push({
        amount: Math.round(planCaps.usd * 1e6) - used.microUsd,
        what: `the plan's cap of ${planCaps.usd} dollars`,
        scope: "model",
      });
  }
  const { usdPerDay, tokensPerDay } = config.budget;
  if (order.request.provider !== "ollama" && (usdPerDay !== null || tokensPerDay !== null)) {
    const used = await usedInADay(trx);
    if (tokensPerDay !== null)
      tokens.push({
        amount: tokensPerDay - used.tokens,
        what: `what cloud models may use in 24 hours (${tokensPerDay} tokens)`,
        scope: "model",
      });
    if (usdPerDay !== null)
      microUsd.push({
        amount: Math.round(usdPerDay * 1e6) - used.microUsd,
        what: `what cloud models may cost in 24 hours (${usdPerDay} dollars)`,
        scope: "model",
      });
  }
  return { tokens: tightest(tokens), microUsd: tightest(microUsd) };
}

function tightest(lefts: readonly Left[]): Left {
  return lefts.reduce((least, left) => (left.amount < least.amount ? left : least));
}

type Used = Readonly<{ tokens: number; microUsd: number }>;

/** What the agents of a plan have used so far and hold reserved. */
export async function usedByPlan(db: Db, planId: number): Promise<Used> {
  const { rows } = await sql<{ tokens: number; cost: number }>`
    select coalesce(sum(tokens_in + tokens_out + reserved_tokens), 0)::bigint as tokens,
      coalesce(sum(cost_microusd + reserved_microusd), 0)::bigint as cost
    from agents where plan_id = ${planId}`.execute(db);
  return { tokens: Number(rows[0]?.tokens ?? 0), microUsd: Number(rows[0]?.cost ?? 0) };
}

/** What calls of cloud models have used within 24 hours and hold reserved. */
export async function usedInADay(db: Db): Promise<Used> {
  const { rows } = await sql<{ tokens: number; cost: number }>`
    select coalesce(sum(tokens_in + tokens_out + reserved_tokens), 0)::bigint as tokens,
      coalesce(sum(cost_microusd + reserved_microusd), 0)::bigint as cost
    from agent_steps
    where kind = 'model' and provider <> 'ollama' and started_at > now() - interval '24 hours'`.execute(db);
  return { tokens: Number(rows[0]?.tokens ?? 0), microUsd: Number(rows[0]?.cost ?? 0) };
}
