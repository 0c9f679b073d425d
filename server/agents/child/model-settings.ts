import { z } from "zod";
import { providerName } from "../../config-schema.ts";

const cloud = z.object({
  enabled: z.boolean(),
  command: z.string(),
  model: z.string().nullable(),
  env: z.record(z.string(), z.string()),
  usdPerMillion: z.object({ input: z.number(), output: z.number() }).nullable(),
  timeoutMs: z.number(),
});

/** What the daemon tells an agent's process of config.yaml, which was checked there. */
export const modelSettings = z.object({
  agents: z.object({
    max: z.number(),
    models: z.array(z.object({ provider: providerName, model: z.string().nullable() })),
    cloud: z.object({ claude: cloud, gemini: cloud, codex: cloud }),
    budget: z.object({ usdPerDay: z.number().nullable(), tokensPerDay: z.number().nullable() }),
  }),
  ollama: z.object({ url: z.string(), keepAlive: z.string(), concurrency: z.number() }),
});
