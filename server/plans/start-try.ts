import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { asMachineTrouble } from "../machine-trouble.ts";
import type { Store } from "../store/open-store.ts";
import type { PlanNodeKind, Row } from "../store/tables.ts";
import { classifyStart, type NodeError } from "./node-error.ts";
import { type NodeOrder, type NodeOutcome, type NodeRunners, noUsage } from "./node-runner.ts";
import { makeNodeFolder } from "./plan-folder.ts";
import { readNodeSpec } from "./plan-spec.ts";
import { tryKey } from "./try-key.ts";

export type TryDeps = Readonly<{
  store: Store;
  runners: NodeRunners;
  /** Folder of all plans' folders. */
  plansFolder: string;
  log: Log;
}>;

/** A node that is at work, with what the others gave. */
export type Try = Readonly<{
  plan: Row<"plans">;
  node: Row<"plan_nodes">;
  outputs: ReadonlyMap<string, string | null>;
  /** Starts of tries that broke down by a bug, counted by dedupe key. */
  broken: Map<string, number>;
}>;

/** How often in a row the start of one try may break down by a bug before that is the try's failure. */
const startTries = 3;

/** Starts a try that is on record. False where that did not work: the next look tries again and says what it means. */
export async function startTry(deps: TryDeps, each: Try): Promise<boolean> {
  try {
    await start(deps, await orderOf(deps, each));
    return true;
  } catch (thrown) {
    deps.log.debug({ err: thrown, plan: each.plan.id, node: each.node.key }, "a node did not start");
    return false;
  }
}

/** How a try stands; one whose start is not on record is started first, under the key that it had. */
export async function lookAtTry(deps: TryDeps, each: Try): Promise<NodeOutcome> {
  const { node } = each;
  try {
    const order = await orderOf(deps, each);
    const isKnown = node.agent_id !== null || node.run_id !== null || !leavesId(node.kind);
    const ids = isKnown ? {} : await start(deps, order);
    return await deps.runners[node.kind].look({ ...node, ...ids }, order);
  } catch (thrown) {
    return failedStart(deps, each, thrown);
  }
}

async function orderOf(deps: TryDeps, { plan, node, outputs }: Try): Promise<NodeOrder> {
  return {
    ...{ plan, node, outputs },
    spec: readNodeSpec(node.spec),
    dedupeKey: tryKey(node),
    folder: await makeNodeFolder(deps.plansFolder, plan.id, node.key),
  };
}

/** Whether the start of such a node brings the id of an agent or a run. */
function leavesId(kind: PlanNodeKind): boolean {
  switch (kind) {
    case "agent":
    case "merge":
    case "decompose":
    case "job":
      return true;
    case "command":
    case "person":
    case "host":
      return false;
    default:
      return kind satisfies never;
  }
}

async function start({ runners, store }: TryDeps, order: NodeOrder) {
  const { node } = order;
  const { agentId = null, runId = null } = await runners[node.kind].start(order);
  const ids = { agent_id: agentId, run_id: runId };
  if (agentId === null && runId === null) return ids;
  await store.db
    .updateTable("plan_nodes")
    .set(ids)
    .where("plan_id", "=", node.plan_id)
    .where("key", "=", node.key)
    .where("attempt", "=", node.attempt)
    .execute();
  return ids;
}

/** What a failed start means: the try's failure, or, where the machine is in trouble, nothing yet. */
function failedStart({ log }: TryDeps, { node, broken }: Try, thrown: unknown): NodeOutcome {
  if (asMachineTrouble(thrown) !== undefined) throw thrown;
  const known = classifyStart(thrown);
  if (known !== undefined) return { state: "failed", error: known, usage: noUsage };
  const key = tryKey(node);
  const times = (broken.get(key) ?? 0) + 1;
  broken.set(key, times);
  log.error({ err: thrown, plan: node.plan_id, node: node.key, times }, "a node broke down at its start");
  if (times < startTries) return { state: "running" };
  broken.delete(key);
  const error: NodeError = { reason: "internal", class: "permanent", message: messageOf(thrown) };
  return { state: "failed", error, usage: noUsage };
}
