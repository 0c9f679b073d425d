import { sql } from "kysely";
import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { formatPlanId, parsePlanId } from "./plan-id.ts";

/** The plan of a handle (`P3`, 3). Throws invalid_argument and plan_not_found. */
export async function requirePlan(db: Db, handle: string | number): Promise<Row<"plans">> {
  const id = parsePlanId(handle);
  const plan = await db.selectFrom("plans").selectAll().where("id", "=", id).executeTakeFirst();
  if (plan !== undefined) return plan;
  throw new UserError("plan_not_found", `There is no plan ${formatPlanId(id)}.`, {
    next: 'plan_control {"action": "list"}',
  });
}

/** Nodes of a plan in topological order. */
export function readPlanNodes(db: Db, planId: number): Promise<Row<"plan_nodes">[]> {
  return db.selectFrom("plan_nodes").selectAll().where("plan_id", "=", planId).orderBy("position").execute();
}

/** Files that a plan's nodes left, by node and name. */
export function readPlanArtifacts(db: Db, planId: number): Promise<Row<"plan_artifacts">[]> {
  return db
    .selectFrom("plan_artifacts")
    .selectAll()
    .where("plan_id", "=", planId)
    .orderBy("node")
    .orderBy("name")
    .execute();
}

/** What agents of a plan have used, those that they started included. */
export type PlanUsage = Readonly<{ agents: number; tokens: number; costMicroUsd: number }>;

/** Adds up what a plan's agents have used so far. */
export async function readPlanUsage(db: Db, planId: number): Promise<PlanUsage> {
  const { rows } = await sql<{ agents: string; tokens: string | null; cost: string | null }>`
    select count(*) as agents, sum(tokens_in + tokens_out) as tokens, sum(cost_microusd) as cost
    from agents where plan_id = ${planId}`.execute(db);
  const [row] = rows;
  return {
    agents: Number(row?.agents ?? 0),
    tokens: Number(row?.tokens ?? 0),
    costMicroUsd: Number(row?.cost ?? 0),
  };
}

/** A plan in a list, with how many of its nodes are in which state. */
export type PlanLine = Row<"plans"> & Readonly<{ counts: Readonly<Record<string, number>> }>;

/** Plans, latest first. `cursor` continues the list, and is null at its end. */
export async function listPlans(
  db: Db,
  { limit, cursor }: Readonly<{ limit: number; cursor?: string | null | undefined }>,
): Promise<{ rows: PlanLine[]; cursor: string | null }> {
  let query = db
    .selectFrom("plans")
    .selectAll()
    .orderBy("id", "desc")
    .limit(limit + 1);
  if (cursor) query = query.where("id", "<", parsePlanId(cursor));
  const found = await query.execute();
  const rows = found.slice(0, limit);
  const counted = await countNodes(
    db,
    rows.map(({ id }) => id),
  );
  const last = rows.at(-1);
  return {
    rows: rows.map((plan) => ({ ...plan, counts: counted.get(plan.id) ?? {} })),
    cursor: found.length > limit && last !== undefined ? formatPlanId(last.id) : null,
  };
}

async function countNodes(db: Db, planIds: readonly number[]): Promise<Map<number, Record<string, number>>> {
  const counts = new Map<number, Record<string, number>>();
  if (planIds.length === 0) return counts;
  const rows = await db
    .selectFrom("plan_nodes")
    .select(["plan_id", "state"])
    .select(({ fn }) => fn.countAll<string>().as("count"))
    .where("plan_id", "in", planIds)
    .groupBy(["plan_id", "state"])
    .execute();
  for (const { plan_id: planId, state, count } of rows) {
    counts.set(planId, { ...counts.get(planId), [state]: Number(count) });
  }
  return counts;
}
