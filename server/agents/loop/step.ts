import { z } from "zod";
import { agentReason } from "../agent-error.ts";
import { modelChoice } from "../agent-order.ts";

const toolCall = z.object({ id: z.string(), name: z.string(), arguments: z.record(z.string(), z.unknown()) });

/** Each kind of step. `result` is null where a crash cut the step off, whose outcome nobody knows. */
export const stepShapes = {
  model: z.object({
    kind: z.literal("model"),
    request: z.object({
      ...modelChoice.shape,
      /** Of the whole prompt, as it was estimated, and before the correction by what the model has counted before. */
      promptTokens: z.number(),
      rawTokens: z.number(),
    }),
    result: z
      .union([
        z.object({
          text: z.string(),
          toolCalls: z.array(toolCall),
          finish: z.enum(["stop", "length", "tool_calls"]),
          promptTokens: z.number(),
        }),
        z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
      ])
      .nullable(),
  }),
  tool: z.object({
    kind: z.literal("tool"),
    request: z.object({ callId: z.string(), name: z.string(), arguments: z.record(z.string(), z.unknown()) }),
    result: z.object({ content: z.string(), isError: z.boolean() }).nullable(),
  }),
  oracle: z.object({
    kind: z.literal("oracle"),
    request: z.object({ oracle: z.string(), answer: z.string() }),
    result: z.object({ verdict: z.enum(["pass", "fail", "unable"]), reason: z.string() }).nullable(),
  }),
  escalation: z.object({
    kind: z.literal("escalation"),
    request: z.object({ from: z.number(), to: z.number(), reason: z.string(), cause: agentReason }),
    result: z.object({}).nullable(),
  }),
  fold: z.object({
    kind: z.literal("fold"),
    request: z.object({ callIds: z.array(z.string()), before: z.number(), after: z.number() }),
    result: z.object({}).nullable(),
  }),
  notice: z.object({
    kind: z.literal("notice"),
    request: z.object({ text: z.string(), about: z.enum(["unusable", "last_turn"]) }),
    result: z.object({}).nullable(),
  }),
};

/** What an agent did, in order: the conversation is made of these alone. */
export const stepSchema = z.discriminatedUnion("kind", [
  stepShapes.model,
  stepShapes.tool,
  stepShapes.oracle,
  stepShapes.escalation,
  stepShapes.fold,
  stepShapes.notice,
]);

export type Step = Readonly<z.infer<typeof stepSchema>>;
export type StepOf<K extends Step["kind"]> = Extract<Step, { kind: K }>;
