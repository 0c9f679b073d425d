import { z } from "zod";
import { limitsSchema, modelChoice } from "../agent-order.ts";
import { stepSchema } from "./step.ts";

/** As a model gets it; whoever ordered it has checked it. */
const jsonSchema = z.record(z.string(), z.unknown());
const toolOffer = z.object({ name: z.string(), description: z.string(), inputSchema: jsonSchema });

/** Everything that an agent's loop knows when it begins, or goes on. */
export const briefSchema = z.object({
  /** Its handle. */
  agent: z.string(),
  role: z.string(),
  system: z.string(),
  task: z.string(),
  /** In the order in which they are tried. */
  models: z.array(modelChoice).min(1),
  tools: z.array(toolOffer),
  /** Of the answer; null for text. */
  schema: jsonSchema.nullable(),
  /** Whether an answer is judged by more than that schema. */
  judged: z.boolean(),
  /** Refused answers of one model before the next is asked. */
  triesPerModel: z.number(),
  limits: limitsSchema,
  temperature: z.number().nullable(),
  /** Before a model is asked again that did not answer; doubled each time. */
  backoffMs: z.number(),
  steps: z.array(stepSchema),
});

export type Brief = Readonly<z.infer<typeof briefSchema>>;
