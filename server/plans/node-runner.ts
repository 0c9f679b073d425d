import type { PlanNodeKind, Row } from "../store/tables.ts";
import type { NodeError } from "./node-error.ts";
import type { PlanNode, StoredNode } from "./plan-spec.ts";

/** One try at a node. Whatever begins it names `dedupeKey`, so that after a crash it is found again instead of begun again. */
export type NodeOrder = Readonly<{
  plan: Row<"plans">;
  node: Row<"plan_nodes">;
  spec: StoredNode;
  /** Output of each node of the plan; null where it gave none. */
  outputs: ReadonlyMap<string, string | null>;
  /** `plan:3:node:attempt`. */
  dedupeKey: string;
  /** The node's own folder, which is there. */
  folder: string;
}>;

/** What a try used by itself. */
export type NodeUsage = Readonly<{
  provider: string | null;
  model: string | null;
  tokens: number;
  costMicroUsd: number;
}>;

export const noUsage: NodeUsage = { provider: null, model: null, tokens: 0, costMicroUsd: 0 };

/** How a try stands. */
export type NodeOutcome =
  | Readonly<{ state: "running" }>
  | Readonly<{ state: "succeeded"; output: string; usage: NodeUsage; decomposed?: readonly PlanNode[] }>
  | Readonly<{ state: "failed"; error: NodeError; usage: NodeUsage }>
  | Readonly<{ state: "cancelled"; usage: NodeUsage }>;

/** How nodes of a kind are worked on. */
export type NodeRunner = Readonly<{
  /**
   * Begins the try, or finds it where it was begun before. What it throws as UserError is the try's failure; anything else is
   * tried once more.
   */
  start(order: NodeOrder): Promise<Readonly<{ agentId?: number; runId?: number }>>;
  /** How the try stands. */
  look(node: Row<"plan_nodes">, order: NodeOrder): Promise<NodeOutcome>;
  /** Asks for the end of the try, which `look` tells of later. Asking twice is no harm. */
  cancel(node: Row<"plan_nodes">, by: string): Promise<void>;
  /** The body of a task for people, with every result filled in; null where nobody outside works on it. */
  taskBody?(order: Omit<NodeOrder, "dedupeKey" | "folder">): string;
}>;

export type NodeRunners = Readonly<Record<PlanNodeKind, NodeRunner>>;
