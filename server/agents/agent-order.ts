import { z } from "zod";
import { providerName } from "../config-schema.ts";
import { messageOf } from "../errors.ts";
import type { AgentsTable } from "../store/tables.ts";

/** A model of a provider; `model` null leaves the choice to the provider. */
export const modelChoice = z.strictObject({
  provider: providerName,
  model: z.string().min(1).max(200).nullable(),
});
export type ModelChoice = Readonly<z.infer<typeof modelChoice>>;

/** A JSON Schema that answers can be checked against. */
export const jsonSchema = z.record(z.string(), z.json()).superRefine((schema, context) => {
  try {
    z.fromJSONSchema(schema);
  } catch (thrown) {
    context.addIssue(`that is no JSON Schema: ${messageOf(thrown).slice(0, 300)}`);
  }
});

const attempts = z.int().min(1).max(10).describe("tries per model before the next one").optional();

/**
 * Who judges an answer before it counts: a JSON Schema; a test in TypeScript, whose default export gets the answer in the sandbox and
 * throws to refuse it; a signed command, which gets it on standard input and refuses by its exit code; or an agent of another role.
 */
export const oracleSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("schema"), schema: jsonSchema, attempts }),
  z.strictObject({ kind: z.literal("test"), source: z.string().min(1).max(100_000), attempts }),
  z.strictObject({
    kind: z.literal("command"),
    command: z.string().min(1).max(100),
    args: z.array(z.string().max(4_000)).max(100).default([]),
    attempts,
  }),
  z.strictObject({
    kind: z.literal("model"),
    role: z.string().min(1).max(100),
    question: z.string().max(4_000).optional(),
    attempts,
  }),
]);
export type Oracle = Readonly<z.infer<typeof oracleSchema>>;

/** What one agent may use up. An order can only lower what its role's signed manifest says. */
export const limitsSchema = z.strictObject({
  /** Answers of models. */
  turns: z.int().min(1).max(1_000),
  toolCalls: z.int().min(0).max(10_000),
  /** Of all prompts and answers together. */
  tokens: z.int().min(1).max(1_000_000_000),
  usd: z.number().min(0).max(10_000),
  timeoutMs: z.int().min(1_000).max(86_400_000),
  /** The window of the model that holds prompt and answer. */
  contextTokens: z.int().min(256).max(10_000_000),
  outputTokens: z.int().min(1).max(1_000_000),
  /** How many levels of further agents it may start; 0 for none. */
  depth: z.int().min(0).max(10),
});
export type Limits = Readonly<z.infer<typeof limitsSchema>>;
export type WantedLimits = { readonly [K in keyof Limits]?: Limits[K] | undefined };

/** One piece of work for a model in a role. */
export type AgentOrder = Readonly<{
  role: string;
  prompt: string;
  /** A few words for lists; the beginning of the prompt where it is left out. */
  title?: string | undefined;
  /** Instead of the role's own order of models. */
  models?: readonly ModelChoice[] | undefined;
  /** Of the answer; undefined leaves it to the role, null asks for text. */
  schema?: Readonly<Record<string, unknown>> | null | undefined;
  oracle?: Oracle | null | undefined;
  limits?: WantedLimits | undefined;
  taskId?: number | undefined;
  planId?: number | undefined;
  node?: string | undefined;
  parentAgent?: number | undefined;
  parentRun?: number | undefined;
  /** How many agents stand above it: 0 where a person, a host, a plan or a job asks. */
  depth: number;
  urgency?: AgentsTable["urgency"] | undefined;
  complexity?: AgentsTable["complexity"] | undefined;
  /** Absolute path of a folder to work in, besides those of the role. */
  folder: string | null;
  dedupeKey: string | null;
  requestedBy: string;
  traceId: string;
}>;

/** The smaller of each: nobody gets more than the role's manifest says. */
export function effectiveLimits(role: Limits, wanted: WantedLimits): Limits {
  const least = (key: keyof Limits) => Math.min(role[key], wanted[key] ?? role[key]);
  return {
    turns: least("turns"),
    toolCalls: least("toolCalls"),
    tokens: least("tokens"),
    usd: least("usd"),
    timeoutMs: least("timeoutMs"),
    contextTokens: least("contextTokens"),
    outputTokens: least("outputTokens"),
    depth: least("depth"),
  };
}
