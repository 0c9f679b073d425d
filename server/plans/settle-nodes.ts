import type { Db } from "../store/open-store.ts";
import type { PlanNodeState, Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import { insertNodes } from "./insert-nodes.ts";
import { type NodeError, type NodeTry, readHistory } from "./node-error.ts";
import type { NodeOutcome } from "./node-runner.ts";
import type { SavedFile } from "./plan-folder.ts";
import { endTask, makeTasks, noteOnTask } from "./plan-tasks.ts";
import { readPlanNodes } from "./read-plan.ts";
import { retryDelay } from "./retry-delay.ts";

export type EndedTry = Readonly<{
  node: Row<"plan_nodes">;
  outcome: Exclude<NodeOutcome, { state: "running" }>;
  files: readonly SavedFile[];
}>;

type Options = Readonly<{ now: Date; attempts: number; host: string; random: () => number }>;

/**
 * Puts the end of a try on record, with its files and its task, in the transaction of `trx`, which holds the plan: the node ends, or
 * waits for its next try. What another daemon has settled meanwhile stays.
 */
export async function settleTry(trx: Db, plan: Row<"plans">, ended: EndedTry, options: Options): Promise<void> {
  const { node, outcome, files } = ended;
  const { now, attempts, host, random } = options;
  const error = outcome.state === "failed" ? outcome.error : null;
  const delayMs =
    error === null || plan.state === "cancelling" ? null : retryDelay(error, { tries: node.tries, attempts }, random);
  const state: PlanNodeState = delayMs === null ? outcome.state : "waiting";
  const { numUpdatedRows } = await trx
    .updateTable("plan_nodes")
    .set({
      state,
      output: outcome.state === "succeeded" ? storableText(outcome.output) : null,
      error: error === null ? null : storableText(JSON.stringify(error)),
      history: storableText(JSON.stringify([...readHistory(node.history), tryOf(node, outcome, now)])),
      next_try_at: delayMs === null ? null : new Date(now.getTime() + delayMs),
      finished_at: delayMs === null ? now : null,
    })
    .where("plan_id", "=", plan.id)
    .where("key", "=", node.key)
    .where("state", "=", "running")
    .where("attempt", "=", node.attempt)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return;
  await recordFiles(trx, node, files, { now, host });
  if (outcome.state === "succeeded" && outcome.decomposed !== undefined) {
    await insertNodes(trx, plan, outcome.decomposed, 1);
    if (!plan.hold) await makeTasks(trx, plan, (await readPlanNodes(trx, plan.id)).filter(isTaskless));
  }
  if (error !== null && delayMs !== null) {
    await noteOnTask(trx, plan, node.task_id, `try ${node.tries} failed (${error.reason}): ${error.message}`);
    return;
  }
  await endTask(trx, plan, node.task_id, taskEnd(outcome));
}

/** Ends a node that never began, or on which nobody here is at work. */
export async function skipNode(
  trx: Db,
  plan: Row<"plans">,
  node: Row<"plan_nodes">,
  { state, because, now }: Readonly<{ state: "skipped" | "cancelled"; because: string | null; now: Date }>,
): Promise<void> {
  const error: NodeError | null =
    because === null ? null : { reason: "skipped", class: "permanent", message: `${because} did not succeed` };
  await trx
    .updateTable("plan_nodes")
    .set({ state, error: error === null ? null : JSON.stringify(error), next_try_at: null, finished_at: now })
    .where("plan_id", "=", plan.id)
    .where("key", "=", node.key)
    .where("state", "in", ["waiting", "running"])
    .execute();
  await endTask(trx, plan, node.task_id, { state, result: error?.message ?? null });
}

function isTaskless({ task_id }: Row<"plan_nodes">): boolean {
  return task_id === null;
}

function taskEnd(outcome: EndedTry["outcome"]): Parameters<typeof endTask>[3] {
  switch (outcome.state) {
    case "succeeded":
      return { state: "done", result: outcome.output };
    case "failed":
      return { state: "failed", result: `${outcome.error.reason}: ${outcome.error.message}` };
    case "cancelled":
      return { state: "cancelled", result: null };
    default:
      return outcome satisfies never;
  }
}

function tryOf(node: Row<"plan_nodes">, outcome: EndedTry["outcome"], now: Date): NodeTry {
  const { provider, model, tokens, costMicroUsd } = outcome.usage;
  return {
    attempt: node.attempt,
    state: outcome.state,
    error: outcome.state === "failed" ? outcome.error : null,
    started_at: (node.started_at ?? now).toISOString(),
    ended_at: now.toISOString(),
    agent: node.agent_id,
    run: node.run_id,
    provider,
    model,
    tokens,
    cost_microusd: costMicroUsd,
  };
}

async function recordFiles(
  trx: Db,
  { plan_id, key: node, attempt }: Row<"plan_nodes">,
  files: readonly SavedFile[],
  { now, host }: Pick<Options, "now" | "host">,
): Promise<void> {
  await trx.deleteFrom("plan_artifacts").where("plan_id", "=", plan_id).where("node", "=", node).execute();
  if (files.length === 0) return;
  await trx
    .insertInto("plan_artifacts")
    .values(
      files.map(({ name, mediaType, bytes, sha256 }) => ({
        ...{ plan_id, node, name, attempt, bytes, sha256, host },
        media_type: mediaType,
        created_at: now,
      })),
    )
    .execute();
}
