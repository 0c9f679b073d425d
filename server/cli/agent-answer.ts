import { z } from "zod";
import { providerName } from "../config-schema.ts";

const time = z.coerce.date();

/** An agent as the person's door shows it. */
export const agentAnswer = z.object({
  id: z.int(),
  role: z.string(),
  title: z.string(),
  state: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
  prompt: z.string(),
  output: z.string().nullable(),
  error: z.string().nullable(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  tokens_in: z.number(),
  tokens_out: z.number(),
  cost_microusd: z.number(),
  turns: z.int(),
  tool_calls: z.int(),
  plan_id: z.int().nullable(),
  task_id: z.int().nullable(),
  requested_by: z.string(),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
});
export type AgentAnswer = z.infer<typeof agentAnswer>;

const count = z.coerce.number();

export const stepAnswer = z.object({
  agent_id: z.int(),
  n: z.int(),
  attempt: z.int(),
  kind: z.enum(["model", "tool", "oracle", "escalation", "fold", "notice"]),
  state: z.enum(["intent", "done"]),
  name: z.string().nullable(),
  request: z.string(),
  result: z.string().nullable(),
  ok: z.boolean().nullable(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  tokens_in: count,
  tokens_out: count,
  cost_microusd: count,
  reserved_tokens: count,
  reserved_microusd: count,
  started_at: time,
  ended_at: time.nullable(),
});

export const usageAnswer = z.object({
  days: z.int(),
  lines: z.array(
    z.object({
      role: z.string(),
      provider: z.string(),
      model: z.string(),
      calls: z.int(),
      tokens: z.number(),
      cost_microusd: z.number(),
    }),
  ),
  cloud: z.object({
    tokens: z.number(),
    cost_microusd: z.number(),
    usd_per_day: z.number().nullable(),
    tokens_per_day: z.number().nullable(),
  }),
});

export const rankingAnswer = z.object({
  ranking: z.array(
    z.object({
      complexity: z.enum(["low", "medium", "high"]),
      models: z.array(
        z.object({
          choice: z.object({ provider: providerName, model: z.string().nullable() }),
          score: z.number(),
          acceptance: z.number(),
          tries: z.int(),
          usd: z.number(),
          seconds: z.number(),
          enabled: z.boolean(),
        }),
      ),
    }),
  ),
});
