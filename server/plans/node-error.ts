import { z } from "zod";
import { type ErrorCode, messageOf, UserError } from "../errors.ts";

/** Classes of failures. Only what came about by chance is tried again: `transient` and `timeout`. */
export const failureClasses = ["transient", "timeout", "permanent", "policy", "budget"] as const;

const nodeErrorSchema = z.object({
  /** A stable word, such as a UserError's code. */
  reason: z.string(),
  class: z.enum(failureClasses),
  message: z.string(),
});

/** Why a node (or a plan) failed. */
export type NodeError = z.infer<typeof nodeErrorSchema>;

/** The NodeError in an `error` column; null where there is none. */
export function readNodeError(column: string | null): NodeError | null {
  return column === null ? null : nodeErrorSchema.parse(JSON.parse(column));
}

const nodeTry = z.object({
  attempt: z.int(),
  state: z.enum(["succeeded", "failed", "cancelled"]),
  error: nodeErrorSchema.nullable(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime(),
  agent: z.int().nullable(),
  run: z.int().nullable(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  tokens: z.int(),
  cost_microusd: z.int(),
});

/** One try at a node, once it has ended. */
export type NodeTry = z.infer<typeof nodeTry>;

/** The tries in a node's `history` column. */
export function readHistory(column: string): NodeTry[] {
  return z.array(nodeTry).parse(JSON.parse(column));
}

const policy: ReadonlySet<ErrorCode> = new Set([
  "not_approved",
  "approval_invalid",
  "chain_broken",
  "permission_denied",
  "version_newer",
]);
const chance: ReadonlySet<ErrorCode> = new Set([
  "store_unavailable",
  "disk_full",
  "too_many_files",
  "model_unavailable",
]);

/** What something thrown at the start of a node means for it; undefined for a bug, which is not the node's fault. */
export function classifyStart(thrown: unknown): NodeError | undefined {
  if (!(thrown instanceof UserError)) return undefined;
  const { code } = thrown;
  return { reason: code, class: classOf(code), message: messageOf(thrown) };
}

function classOf(code: ErrorCode): NodeError["class"] {
  if (code === "budget_exceeded") return "budget";
  if (policy.has(code)) return "policy";
  return chance.has(code) ? "transient" : "permanent";
}
