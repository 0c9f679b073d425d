import { sql } from "kysely";
import { formatDuration } from "../duration.ts";
import { recordEvent } from "../runs/events.ts";
import type { Db } from "../store/open-store.ts";
import type { PlanState, Row } from "../store/tables.ts";
import { isWork, type NextSteps, type NodeStanding, nextSteps } from "./next-steps.ts";
import type { NodeError } from "./node-error.ts";
import type { NodeRunners } from "./node-runner.ts";
import { outputsOf } from "./outputs-of.ts";
import { alertFailedPlan } from "./plan-alert.ts";
import { type PlanCaps, readCaps } from "./plan-caps.ts";
import { clockAfter, ranMs } from "./plan-clock.ts";
import { formatPlanId } from "./plan-id.ts";
import { sendPlanNotice } from "./plan-notices.ts";
import { decomposeKey, readNodeSpec } from "./plan-spec.ts";
import { isPlanAtRest } from "./plan-states.ts";
import { actorOf, beginTask, endTask } from "./plan-tasks.ts";
import { readPlanNodes } from "./read-plan.ts";
import { type EndedTry, settleTry, skipNode } from "./settle-nodes.ts";

type Plan = Row<"plans">;
type Nodes = readonly Row<"plan_nodes">[];

/** What one look has changed. */
export type Pass = Readonly<{
  plan: Plan;
  nodes: Nodes;
  /** Nodes that are to be started now: on record as running, with an attempt of their own. */
  begun: Nodes;
  nextTryAt: Date | null;
}>;

export type PassDeps = Readonly<{ runners: NodeRunners; host: string; random: () => number }>;

/**
 * Everything that one look at a plan changes, in the transaction of `trx`: tries that have ended, what can begin, what never will, and
 * the plan itself, with all their tasks. Undefined where another daemon has taken the plan over, or it is at rest.
 */
export async function recordPass(
  trx: Db,
  deps: PassDeps,
  held: Readonly<{ id: number; lease: number }>,
  ended: readonly EndedTry[],
): Promise<Pass | undefined> {
  const { now, ...plan } = await trx
    .selectFrom("plans")
    .selectAll()
    .select(sql<Date>`clock_timestamp()`.as("now"))
    .where("id", "=", held.id)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (plan.lease !== held.lease || isPlanAtRest(plan.state)) return undefined;
  const caps = readCaps(plan.caps);
  for (const each of ended) {
    const attempts = attemptsOf(each.node, caps);
    await settleTry(trx, plan, each, { now, attempts, host: deps.host, random: deps.random });
  }
  const nodes = await readPlanNodes(trx, plan.id);
  const found = { ...plan, ...standingOf(plan, nodes, caps, now) };
  const steps = nextSteps(nodes.map(standing), { now, parallel: caps.parallel });
  const begun = await takeSteps(trx, deps, found, nodes, steps, now);
  const changed = begun.length + steps.skip.length > 0 || found.state !== plan.state || found.state === "cancelling";
  const after = changed ? await readPlanNodes(trx, plan.id) : nodes;
  const { state, error } = endOf(found, after, steps);
  const saved = await savePlan(trx, plan, { state, error, ...clockAfter({ ...plan, state }, after, now) }, now);
  if (state === "failed") await alertFailedPlan(trx, saved, after);
  if (changed || ended.length > 0 || state !== plan.state) {
    await sendPlanNotice(trx, { planId: plan.id, byDriver: true });
  }
  return {
    plan: saved,
    nodes: after,
    begun: after.filter(({ key }) => begun.includes(key)),
    nextTryAt: steps.nextTryAt,
  };
}

/** A run has retries of its own, by its job's signed manifest. */
function attemptsOf({ spec, kind }: Row<"plan_nodes">, caps: PlanCaps): number {
  return readNodeSpec(spec).attempts ?? (kind === "job" ? 1 : caps.attempts);
}

type Standing = Pick<Plan, "state" | "error">;

/** The plan's state once what has ended is taken in: its planner has answered, or its time is up. */
function standingOf(plan: Plan, nodes: Nodes, caps: PlanCaps, now: Date): Standing {
  const { state, error, hold } = plan;
  if (state !== "cancelling" && ranMs(plan, now) > caps.wallMs) {
    const message = `the plan was at work for more than ${formatDuration(caps.wallMs)}`;
    const overTime: NodeError = { reason: "wall", class: "budget", message };
    return { state: "cancelling", error: JSON.stringify(overTime) };
  }
  const planner = nodes.find(({ key }) => key === decomposeKey);
  if (state !== "planning" || planner?.state !== "succeeded") return { state, error };
  return { state: hold ? "draft" : "running", error };
}

function standing({ key, kind, spec, optional, state, next_try_at }: Row<"plan_nodes">): NodeStanding {
  return { key, kind, needs: readNodeSpec(spec).needs, optional, state, next_try_at };
}

/** Ends what never will begin, and puts on record what begins now. Gives back the keys of the latter. */
async function takeSteps(
  trx: Db,
  { runners }: PassDeps,
  plan: Plan,
  nodes: Nodes,
  steps: NextSteps,
  now: Date,
): Promise<readonly string[]> {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  if (plan.state === "cancelling") {
    // Nobody outside can be asked to stop: their tasks just end.
    for (const node of nodes.filter(
      ({ state, kind }) => state === "waiting" || (state === "running" && !isWork(kind)),
    )) {
      await skipNode(trx, plan, node, { state: "cancelled", because: null, now });
    }
    return [];
  }
  for (const { key, because } of steps.skip) {
    const node = byKey.get(key);
    if (node !== undefined) await skipNode(trx, plan, node, { state: "skipped", because, now });
  }
  if (plan.state !== "running" && plan.state !== "planning") return [];
  const outputs = outputsOf(nodes);
  for (const key of steps.start) {
    const node = byKey.get(key);
    if (node === undefined) continue;
    await trx
      .updateTable("plan_nodes")
      .set({
        state: "running",
        attempt: node.attempt + 1,
        tries: node.tries + 1,
        next_try_at: null,
        agent_id: null,
        run_id: null,
        started_at: now,
      })
      .where("plan_id", "=", plan.id)
      .where("key", "=", key)
      .execute();
    const body = runners[node.kind].taskBody?.({ plan, node, spec: readNodeSpec(node.spec), outputs }) ?? null;
    await beginTask(trx, plan, node, body);
  }
  return steps.start;
}

/** How the plan stands after the steps: at its end, at rest, or as before. */
function endOf({ state, error }: Standing, nodes: Nodes, steps: NextSteps): Standing {
  const isBusy = nodes.some((node) => node.state === "running" && isWork(node.kind));
  const planner = nodes.find(({ key }) => key === decomposeKey);
  switch (state) {
    case "cancelling":
      return isBusy ? { state, error } : { state: error === null ? "cancelled" : "failed", error };
    case "stopping":
    case "running":
    case "planning":
      if (steps.end !== null) return { state: steps.end, error: planner?.error ?? error };
      return state === "stopping" && !isBusy ? { state: "stopped", error } : { state, error };
    case "draft":
    case "stopped":
    case "succeeded":
    case "failed":
    case "cancelled":
      return { state, error };
    default:
      return state satisfies never;
  }
}

async function savePlan(
  trx: Db,
  before: Plan,
  change: Pick<Plan, "state" | "error" | "ran_ms" | "running_since">,
  now: Date,
): Promise<Plan> {
  const { state } = change;
  const same = state === before.state && change.running_since === before.running_since && change.error === before.error;
  if (same) return before;
  const hasEnded = endStates.some((end) => end === state);
  const plan = await trx
    .updateTable("plans")
    .set({ ...change, ...(hasEnded ? { finished_at: now } : {}) })
    .where("id", "=", before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (state !== before.state && isPlanAtRest(state)) await tellOfRest(trx, plan);
  return plan;
}

const endStates = ["succeeded", "failed", "cancelled"] as const satisfies readonly PlanState[];

async function tellOfRest(trx: Db, plan: Plan): Promise<void> {
  const { id, state, task_id: taskId, trace_id: traceId } = plan;
  const kind = state === "stopped" || state === "draft" ? "plan.rests" : "plan.ended";
  const { actor } = actorOf(plan);
  await recordEvent(trx, { kind, actor, subject: `plan:${formatPlanId(id)}`, detail: { state }, traceId });
  if (state === "succeeded") await endTask(trx, plan, taskId, { state: "done", result: reportHint(plan) });
  else if (state === "failed" || state === "cancelled") {
    await endTask(trx, plan, taskId, { state, result: reportHint(plan) });
  }
}

function reportHint({ id }: Plan): string {
  return `plan_control {"plan": "${formatPlanId(id)}", "action": "report"}`;
}
