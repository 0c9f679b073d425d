import { z } from "zod";
import { agentErrorSchema } from "../agent-error.ts";
import { briefSchema } from "../loop/brief.ts";
import { stepShapes } from "../loop/step.ts";

/*
 * What a daemon and an agent's process say to each other, as JSON over Node's IPC channel. The process asks, the daemon answers: what
 * it records, allows and performs stands there alone.
 */

const toolCall = z.object({ id: z.string(), name: z.string(), arguments: z.record(z.string(), z.unknown()) });
const toolResult = z.object({ content: z.string(), isError: z.boolean() });
const nothing = z.null();

const table = {
  begin_model: {
    body: z.object({ request: stepShapes.model.shape.request, maxOutputTokens: z.number() }),
    answer: z.discriminatedUnion("ok", [
      z.object({
        ok: z.literal(true),
        step: z.number(),
        maxOutputTokens: z.number(),
        maxUsd: z.number().nullable(),
      }),
      z.object({ ok: z.literal(false), scope: z.enum(["agent", "model"]), message: z.string() }),
    ]),
  },
  end_model: {
    body: z.object({
      step: z.number(),
      result: stepShapes.model.shape.result.unwrap(),
      used: z
        .object({ tokens: z.object({ prompt: z.number(), output: z.number() }), costMicroUsd: z.number() })
        .nullable(),
    }),
    answer: nothing,
  },
  /** `mcp`: the process has the server, so it makes the call and ends the step. */
  call_tool: {
    body: z.object({ call: toolCall }),
    answer: z.union([
      z.object({ result: toolResult }),
      z.object({ mcp: z.object({ step: z.number(), server: z.string(), tool: z.string() }) }),
    ]),
  },
  end_tool: { body: z.object({ step: z.number(), call: toolCall, result: toolResult }), answer: toolResult },
  skip_tool: { body: z.object({ call: toolCall, result: toolResult }), answer: nothing },
  judge: { body: z.object({ answer: z.string() }), answer: stepShapes.oracle.shape.result.unwrap() },
  note: {
    body: z.object({ step: z.union([stepShapes.escalation, stepShapes.fold, stepShapes.notice]) }),
    answer: nothing,
  },
} as const;

export type Operation = keyof typeof table;
export type Body<O extends Operation> = z.infer<(typeof table)[O]["body"]>;
export type Answered<O extends Operation> = z.infer<(typeof table)[O]["answer"]>;

/** Each request with its body and its answer. */
export const operations: { [O in Operation]: { body: z.ZodType<Body<O>>; answer: z.ZodType<Answered<O>> } } = table;

/** What answers each request of one process. */
export type Handlers = { [O in Operation]: (body: Body<O>) => Promise<Answered<O>> };

export const operationName = z.enum([
  "begin_model",
  "end_model",
  "call_tool",
  "end_tool",
  "skip_tool",
  "judge",
  "note",
]);

const mcpServer = z.object({
  name: z.string(),
  /** A McpServerManifest; its own reader looks at it. */
  manifest: z.unknown(),
  tools: z.array(z.string()),
  /** Values of the secrets that this server's settings name, and of no others. */
  secrets: z.record(z.string(), z.string()),
});

export const startMessage = z.object({
  type: z.literal("start"),
  brief: briefSchema,
  /** What providers are made of: `agents` and `ollama` of config.yaml. */
  models: z.unknown(),
  mcp: z.array(mcpServer),
  folder: z.string(),
});
export type StartMessage = z.infer<typeof startMessage>;

export const parentMessage = z.discriminatedUnion("type", [
  startMessage,
  z.object({ type: z.literal("answer"), id: z.number(), value: z.unknown() }),
  z.object({ type: z.literal("stop") }),
]);
export type ParentMessage = z.infer<typeof parentMessage>;

export const loopEnd = z.discriminatedUnion("state", [
  z.object({ state: z.literal("succeeded"), output: z.string() }),
  z.object({ state: z.literal("failed"), error: agentErrorSchema }),
]);

export const childMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("request"), id: z.number(), op: operationName, body: z.unknown() }),
  z.object({ type: z.literal("end"), end: loopEnd }),
  /** A process group that it has started, or that has ended: the daemon ends what outlives it. */
  z.object({ type: z.literal("group"), pid: z.int().min(2), alive: z.boolean() }),
  z.object({ type: z.literal("log"), level: z.enum(["debug", "info", "warn", "error"]), text: z.string() }),
]);
export type ChildMessage = z.infer<typeof childMessage>;
