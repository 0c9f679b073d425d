import { sql } from "kysely";
import type { AgentsConfig } from "../config.ts";
import type { Db } from "../store/open-store.ts";
import { usedInADay } from "./budget/may-call.ts";

export type UsageLine = Readonly<{
  role: string;
  provider: string;
  model: string;
  calls: number;
  tokens: number;
  cost_microusd: number;
}>;

export type Usage = Readonly<{
  days: number;
  lines: readonly UsageLine[];
  /** Of cloud models within 24 hours, with what is reserved for calls in flight. */
  cloud: Readonly<{ tokens: number; cost_microusd: number; usd_per_day: number | null; tokens_per_day: number | null }>;
}>;

/** What agents used within so many days, by role and model, and how much of the budget of cloud models is used. */
export async function readUsage(
  db: Db,
  { days, budget }: Readonly<{ days: number; budget: AgentsConfig["budget"] }>,
): Promise<Usage> {
  const { rows } = await sql<UsageLine>`
    select a.role, coalesce(s.provider, '') as provider, coalesce(s.model, '') as model, count(*)::integer as calls,
      sum(s.tokens_in + s.tokens_out)::bigint as tokens, sum(s.cost_microusd)::bigint as cost_microusd
    from agent_steps s join agents a on a.id = s.agent_id
    where s.kind = 'model' and s.started_at > now() - ${days}::integer * interval '1 day'
    group by 1, 2, 3 order by 6 desc, 5 desc limit 100`.execute(db);
  const { tokens, microUsd } = await usedInADay(db);
  return {
    days,
    lines: rows.map((row) => ({ ...row, tokens: Number(row.tokens), cost_microusd: Number(row.cost_microusd) })),
    cloud: { tokens, cost_microusd: microUsd, usd_per_day: budget.usdPerDay, tokens_per_day: budget.tokensPerDay },
  };
}
