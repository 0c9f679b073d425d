import { sql } from "kysely";
import { UserError } from "../errors.ts";
import { nearestWord } from "../nearest-word.ts";
import { recordEvent } from "../runs/events.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { PlanState, Row } from "../store/tables.ts";
import { hasEnded } from "./next-steps.ts";
import { dependantsOf } from "./order-nodes.ts";
import { dismissPlanAlert } from "./plan-alert.ts";
import { formatPlanId, parsePlanId } from "./plan-id.ts";
import { sendPlanNotice } from "./plan-notices.ts";
import { decomposeKey, readNodeSpec } from "./plan-spec.ts";
import { isPlanAtRest } from "./plan-states.ts";
import { endTask, makeTasks, reopenTasks } from "./plan-tasks.ts";
import { readPlanNodes, requirePlan } from "./read-plan.ts";

export type PlanControl = Readonly<{ plan: string | number; by: string; traceId: string }>;

/** Starts nothing more of a plan; what is at work goes on to its end, and its results are kept. Throws plan_not_found, plan_not_ready. */
export function stopPlan(db: Db, order: PlanControl): Promise<Row<"plans">> {
  return change(db, order, "plan.stopped", async (trx, plan) => {
    if (plan.state === "stopping" || plan.state === "stopped") return;
    requireState(plan, ["planning", "running"], "stops");
    await setState(trx, plan, "stopping");
  });
}

/** Lets a draft or a stopped plan go on. Throws plan_not_found, plan_not_ready. */
export function resumePlan(db: Db, order: PlanControl): Promise<Row<"plans">> {
  return change(db, order, "plan.resumed", async (trx, plan) => {
    if (plan.state === "running" || plan.state === "planning") return;
    requireState(plan, ["draft", "stopping", "stopped"], "goes on");
    const nodes = await readPlanNodes(trx, plan.id);
    await goOn(trx, plan, nodes);
    if (plan.state !== "draft") return;
    const taskless = nodes.filter(({ task_id }) => task_id === null);
    if (taskless.length > 0) await makeTasks(trx, plan, taskless);
  });
}

/**
 * Does a node anew, and all that depends on it; without a node, all that did not succeed. Other results stay. Throws plan_not_found,
 * plan_not_ready where the plan is at work or nothing failed.
 */
export function retryPlan(db: Db, order: PlanControl & Readonly<{ node?: string | undefined }>): Promise<Row<"plans">> {
  return change(db, order, "plan.retried", async (trx, plan) => {
    requireState(plan, ["stopped", "succeeded", "failed", "cancelled"], "is retried");
    const nodes = await readPlanNodes(trx, plan.id);
    const anew = nodesAnew(plan, nodes, order.node);
    await trx
      .updateTable("plan_nodes")
      .set({
        state: "waiting",
        tries: 0,
        next_try_at: null,
        output: null,
        error: null,
        started_at: null,
        finished_at: null,
      })
      .where("plan_id", "=", plan.id)
      .where("key", "in", [...anew])
      .execute();
    const tasks = nodes.filter(({ key }) => anew.has(key)).map(({ task_id }) => task_id);
    await reopenTasks(trx, plan, tasks, { actor: order.by, traceId: order.traceId });
    await goOn(trx, plan, nodes);
  });
}

/** Cancels what is at work and everything that has not begun. Throws plan_not_found, plan_not_ready where it has ended. */
export function cancelPlan(db: Db, order: PlanControl): Promise<Row<"plans">> {
  return change(db, order, "plan.cancelled", async (trx, plan) => {
    if (plan.state === "cancelling" || plan.state === "cancelled") return;
    if (plan.state === "draft") {
      await trx
        .updateTable("plan_nodes")
        .set({ state: "cancelled" })
        .where("plan_id", "=", plan.id)
        .where("state", "=", "waiting")
        .execute();
      await trx
        .updateTable("plans")
        .set({ state: "cancelled", finished_at: sql<Date>`now()` })
        .where("id", "=", plan.id)
        .execute();
      await endTask(trx, plan, plan.task_id, { state: "cancelled", result: null });
      return;
    }
    requireState(plan, ["planning", "running", "stopping", "stopped"], "is cancelled");
    await setState(trx, plan, "cancelling");
  });
}

/** Ends the alert of a failed plan, on a person's word. Throws plan_not_found, plan_not_ready where it has not failed. */
export function dismissPlan(db: Db, order: PlanControl): Promise<Row<"plans">> {
  return change(db, order, "plan.dismissed", async (trx, plan) => {
    requireState(plan, ["failed"], "is dismissed");
    await dismissPlanAlert(trx, plan.id);
  });
}

async function change(
  db: Db,
  { plan: handle, by, traceId }: PlanControl,
  kind: string,
  work: (trx: Db, plan: Row<"plans">) => Promise<void>,
): Promise<Row<"plans">> {
  return inTransaction(db, async (trx) => {
    const id = parsePlanId(handle);
    // As the driver does first, so that neither sees half of the other's work.
    await trx.selectFrom("plans").select("id").where("id", "=", id).forUpdate().execute();
    const plan = await requirePlan(trx, id);
    await work(trx, plan);
    await recordEvent(trx, {
      kind,
      actor: by,
      subject: `plan:${formatPlanId(id)}`,
      detail: { was: plan.state },
      traceId,
    });
    await sendPlanNotice(trx, { planId: id, byDriver: false });
    return requirePlan(trx, id);
  });
}

/** A plan whose planner has not answered yet is still being planned. */
async function goOn(trx: Db, plan: Row<"plans">, nodes: readonly Row<"plan_nodes">[]): Promise<void> {
  const planning = nodes.some(({ kind }) => kind === "decompose") && nodes.length === 1;
  await trx
    .updateTable("plans")
    .set({
      state: planning ? "planning" : "running",
      error: null,
      finished_at: null,
      started_at: plan.started_at ?? sql<Date>`now()`,
      ...(plan.state === "draft" ? { hold: false } : {}),
    })
    .where("id", "=", plan.id)
    .execute();
  await dismissPlanAlert(trx, plan.id);
}

async function setState(trx: Db, { id }: Row<"plans">, state: PlanState): Promise<void> {
  await trx.updateTable("plans").set({ state }).where("id", "=", id).execute();
}

function nodesAnew(plan: Row<"plans">, nodes: readonly Row<"plan_nodes">[], from: string | undefined): Set<string> {
  const name = formatPlanId(plan.id);
  const needs = new Map(nodes.map(({ key, spec }) => [key, readNodeSpec(spec).needs]));
  if (from === undefined) {
    const failed = nodes.filter(({ state }) => hasEnded(state) && state !== "succeeded").map(({ key }) => key);
    if (failed.length > 0) return new Set([...failed, ...dependantsOf(needs, failed)]);
    throw new UserError("plan_not_ready", `Every node of ${name} has succeeded.`, { next: "name the node to do anew" });
  }
  const keys = nodes.map(({ key }) => key).filter((key) => key !== decomposeKey || nodes.length === 1);
  if (keys.includes(from)) return new Set([from, ...dependantsOf(needs, [from])]);
  const near = nearestWord(from, keys);
  throw new UserError(
    "plan_not_found",
    `${name} has no node "${from.slice(0, 60)}"${near === undefined ? "" : `. Did you mean "${near}"?`}`,
    { next: `plan_control {"plan": "${name}", "action": "read"}` },
  );
}

function requireState(plan: Row<"plans">, states: readonly PlanState[], what: string): void {
  if (states.includes(plan.state)) return;
  const name = formatPlanId(plan.id);
  throw new UserError("plan_not_ready", `${name} is ${plan.state}: a plan ${what} when it is ${states.join(", ")}.`, {
    next: isPlanAtRest(plan.state)
      ? `plan_control {"plan": "${name}", "action": "read"}`
      : `plan_control {"plan": "${name}", "action": "stop"} first, then wait until it is stopped`,
  });
}
