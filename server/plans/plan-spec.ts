import { z } from "zod";
import { jsonSchema, limitsSchema, type ModelChoice, modelChoice, oracleSchema } from "../agents/agent-order.ts";
import { parseModel } from "../agents/parse-model.ts";
import { messageOf } from "../errors.ts";

/** Longest key of a node. It is the name of the node's folder, too. */
const keyPattern = /^[a-z][a-z0-9_-]{0,39}$/;

/** The node that a plan without nodes begins with; no other may have its name. */
export const decomposeKey = "decompose";

const nodeKey = z
  .string()
  .regex(keyPattern, { error: "a key has lower-case letters, digits, _ and -, a letter first, at most 40" })
  .refine((key) => key !== decomposeKey, { error: `"${decomposeKey}" is the name of the planner's own node` });

const json = z.json();
const name = z.string().min(1).max(100);
const prompt = z.string().min(1).max(40_000);
const attempts = z.int().min(1).max(10);

/** A model; without its name the provider's own choice. Also as people write it: `ollama qwen3:4b`. */
const model = z.union([
  z.string().max(250).transform(readModel),
  modelChoice.extend({ model: modelChoice.shape.model.default(null) }),
]);

function readModel(text: string, problems: z.RefinementCtx): ModelChoice {
  try {
    return parseModel(text);
  } catch (thrown) {
    problems.addIssue({ code: "custom", message: messageOf(thrown) });
    return z.NEVER;
  }
}

const anyNode = {
  key: nodeKey,
  title: z.string().min(1).max(200).optional(),
  /** Keys of nodes that come before it. What its texts refer to comes before it as well. */
  needs: z.array(z.string().max(100)).max(500).default([]),
  /** Whether those that depend on it go on without it where it fails. */
  optional: z.boolean().default(false),
  /** Tries in all. */
  attempts: attempts.optional(),
};
const byModel = {
  /** Of its answer; left out, the role's own. */
  schema: jsonSchema.nullable().optional(),
  /** What its answer has to pass. */
  oracle: oracleSchema.nullable().default(null),
  /** In order of escalation, instead of the role's own. */
  models: z.array(model).max(10).default([]),
  limits: limitsSchema.partial().prefault({}),
};

const nodeKinds = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ ...anyNode, kind: z.literal("agent"), role: name, prompt, ...byModel }),
    z.strictObject({
      ...anyNode,
      kind: z.literal("merge"),
      role: name.default("integrator"),
      prompt: prompt.default("Integrate the results below into one that serves the goal. Say where they contradict."),
      ...byModel,
    }),
    z.strictObject({ ...anyNode, kind: z.literal("job"), job: name, input: json.optional() }),
    z.strictObject({
      ...anyNode,
      kind: z.literal("command"),
      command: name,
      args: z.array(z.string().max(10_000)).max(100).default([]),
      /** Whether it may be started again after the daemon died with it. */
      repeatable: z.boolean().default(false),
    }),
    z.strictObject({ ...anyNode, kind: z.literal("person"), prompt }),
    z.strictObject({ ...anyNode, kind: z.literal("host"), prompt }),
  ],
  { error: "a node has a kind: agent, merge, job, command, person or host" },
);

/** A node as an author writes it; without a kind it is what its fields make it. */
export const planNode = z.preprocess(withKind, nodeKinds);

function withKind(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || "kind" in value) return value;
  if ("job" in value) return { kind: "job", ...value };
  return { kind: "command" in value ? "command" : "agent", ...value };
}

/** What a plan may use at most, as its author may ask for; the person's config is the ceiling. */
export const capsOrder = z.strictObject({
  agents: z.int().min(0).optional(),
  depth: z.int().min(1).optional(),
  tokens: z.int().min(0).optional(),
  usd: z.number().min(0).optional(),
  minutes: z.number().min(0.01).optional(),
  parallel: z.int().min(1).optional(),
});

export const urgencies = ["low", "normal", "high", "now"] as const;
export const complexities = ["low", "medium", "high"] as const;

/** A whole plan as an author writes it. Without nodes, the role `planner` makes them. */
export const planSpec = z.strictObject({
  goal: z.string().trim().min(1).max(20_000),
  nodes: z.array(planNode).min(1).max(500).optional(),
  caps: capsOrder.prefault({}),
  urgency: z.enum(urgencies).default("normal"),
  complexity: z.enum(complexities).default("medium"),
});

export type PlanSpec = z.infer<typeof planSpec>;
export type PlanNode = z.infer<typeof nodeKinds>;
export type CapsOrder = z.infer<typeof capsOrder>;
/** A node that a model works on. */
export type AgentNode = Extract<PlanNode, { kind: "agent" | "merge" }>;

/** What the role `planner` is asked for, where a plan has no nodes of its own. */
const decomposeNode = z.strictObject({ ...anyNode, key: z.literal(decomposeKey), kind: z.literal("decompose") });
const storedNode = z.discriminatedUnion("kind", [...nodeKinds.options, decomposeNode]);

/** A node of a plan that is stored: all that it needs stands in `needs`. */
export type StoredNode = z.infer<typeof storedNode>;

/** The node in a row's `spec` column. */
export function readNodeSpec(column: string): StoredNode {
  return storedNode.parse(JSON.parse(column));
}

/** The fields that an object of a plan may have, at a path within it. */
export function fieldsOf(path: readonly PropertyKey[], value: unknown): string[] {
  const [first, at] = path;
  if (first === undefined) return Object.keys(planSpec.shape);
  if (first === "caps") return Object.keys(capsOrder.shape);
  if (first !== "nodes" || typeof at !== "number" || path.length > 2) return [];
  const given = z.object({ nodes: z.array(z.unknown()) }).safeParse(value);
  const node = z.looseObject({ kind: z.string() }).safeParse(withKind(given.data?.nodes[at]));
  const found = nodeKinds.options.find(({ shape }) => shape.kind.value === node.data?.kind);
  return Object.keys(found?.shape ?? {});
}
