import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { Actor } from "../tasks/actor.ts";
import { addNote } from "../tasks/add-note.ts";
import { claimTask } from "../tasks/claim-task.ts";
import { createTasks } from "../tasks/create-tasks.ts";
import { finishTask } from "../tasks/finish-task.ts";
import { longestLeaseSeconds } from "../tasks/lease.ts";
import { reopenTask } from "../tasks/reopen-task.ts";
import { requireTask } from "../tasks/require-task.ts";
import { type EndedState, hasEnded } from "../tasks/task-states.ts";
import { updateTask } from "../tasks/update-task.ts";
import { formatPlanId } from "./plan-id.ts";
import { readNodeSpec, type StoredNode } from "./plan-spec.ts";

type Plan = Pick<Row<"plans">, "id" | "goal" | "urgency" | "complexity" | "trace_id" | "requested_by" | "task_id">;
type Node = Pick<Row<"plan_nodes">, "key" | "spec" | "task_id">;

/** Most characters of a result that stay with the task; the whole is with the plan. */
const resultChars = 4_000;
const bodyChars = 20_000;

/** The plan as tasks know their actors. */
export function actorOf({ id, trace_id: traceId }: Pick<Plan, "id" | "trace_id">): Actor {
  return { actor: `plan ${formatPlanId(id)}`, traceId };
}

/** Makes a task for the plan, where it has none, and one for each of these nodes, so that lists of tasks show the work. */
export async function makeTasks(trx: Db, plan: Plan, nodes: readonly Node[]): Promise<void> {
  const { urgency, complexity, trace_id: traceId } = plan;
  const specs = nodes.map((node) => readNodeSpec(node.spec));
  const own = new Set(nodes.map(({ key }) => key));
  const root =
    plan.task_id === null ? [{ key: "plan", title: firstLine(plan.goal), body: cut(plan.goal, bodyChars) }] : [];
  const made = await createTasks(trx, {
    by: { actor: plan.requested_by, traceId },
    tasks: [
      ...root.map((task) => ({ ...task, planId: plan.id, urgency, complexity, labels: ["plan"] })),
      ...specs.map((spec) => ({
        key: `node ${spec.key}`,
        title: spec.title ?? defaultTitle(spec),
        body: bodyOf(spec),
        parent: plan.task_id ?? "plan",
        dependsOn: spec.needs.filter((need) => own.has(need)).map((need) => `node ${need}`),
        planId: plan.id,
        node: spec.key,
        urgency,
        complexity,
        openTo: spec.kind === "person" || spec.kind === "host" ? spec.kind : null,
      })),
    ],
  });
  const [first] = made;
  if (root.length > 0 && first !== undefined) {
    await trx.updateTable("plans").set({ task_id: first.id }).where("id", "=", plan.id).execute();
  }
  const ids = made.slice(root.length).map(({ id }) => id);
  const keys = nodes.map(({ key }) => key);
  await sql`update plan_nodes n set task_id = t.id
    from unnest(${keys}::text[], ${ids}::bigint[]) as t (key, id)
    where n.plan_id = ${plan.id} and n.key = t.key`.execute(trx);
}

/**
 * Shows that a node has begun. What it waits for in vain (an optional node that failed) is taken from its task first; a task for people
 * gets its body with every result filled in, and is left to them.
 */
export async function beginTask(trx: Db, plan: Plan, node: Node, body: string | null): Promise<void> {
  if (node.task_id === null) return;
  const [by, id] = [actorOf(plan), node.task_id];
  const task = await requireTask(trx, id);
  if (hasEnded(task.state)) return;
  if (task.waits_for > 0 || body !== null) {
    const needs = await trx
      .selectFrom("task_dependencies as d")
      .innerJoin("tasks", "tasks.id", "d.needs")
      .select("tasks.id")
      .where("d.task_id", "=", id)
      .where("tasks.state", "!=", "done")
      .execute();
    await updateTask(trx, {
      id,
      by,
      door: "plan",
      removeDependencies: needs.map((need) => need.id),
      change: body === null ? {} : { body: cut(body, bodyChars) },
    });
  }
  if (body === null && task.state === "open") {
    await claimTask(trx, { id, by, door: "plan", leaseSeconds: longestLeaseSeconds });
  }
}

/** Ends the task of a node, or of the plan, with what came of it. One that its own people have ended stays as it is. */
export async function endTask(
  trx: Db,
  plan: Plan,
  taskId: number | null,
  { state, result }: Readonly<{ state: EndedState; result: string | null }>,
): Promise<void> {
  if (taskId === null || hasEnded((await requireTask(trx, taskId)).state)) return;
  const text = result === null ? null : cut(result, resultChars);
  await finishTask(trx, { id: taskId, state, result: text, by: actorOf(plan), door: "plan" });
}

/** Notes on the task of a node that a try failed. */
export async function noteOnTask(trx: Db, plan: Plan, taskId: number | null, text: string): Promise<void> {
  if (taskId !== null) await addNote(trx, { id: taskId, text: cut(text, resultChars), by: actorOf(plan) });
}

/** Opens the task of a node again that is done anew, and that of its plan. */
export async function reopenTasks(trx: Db, plan: Plan, taskIds: readonly (number | null)[], by: Actor): Promise<void> {
  for (const id of [plan.task_id, ...taskIds]) {
    if (id === null || !hasEnded((await requireTask(trx, id)).state)) continue;
    await reopenTask(trx, { id, reason: `${formatPlanId(plan.id)} goes on`, by, door: "plan" });
  }
}

function defaultTitle(spec: StoredNode): string {
  switch (spec.kind) {
    case "job":
      return `${spec.key}: run ${spec.job}`;
    case "command":
      return `${spec.key}: ${[spec.command, ...spec.args].join(" ")}`;
    case "decompose":
      return "decompose the goal";
    case "agent":
    case "merge":
    case "person":
    case "host":
      return `${spec.key}: ${firstLine(spec.prompt)}`;
    default:
      return spec satisfies never;
  }
}

function bodyOf(spec: StoredNode): string | null {
  return "prompt" in spec ? cut(spec.prompt, bodyChars) : null;
}

function firstLine(text: string): string {
  return cut(text.trim().split("\n", 1)[0] ?? "", 120);
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
