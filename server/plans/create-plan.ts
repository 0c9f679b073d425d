import { recordEvent } from "../runs/events.ts";
import type { Db, Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import { insertNodes } from "./insert-nodes.ts";
import type { PlanCaps } from "./plan-caps.ts";
import { formatPlanId } from "./plan-id.ts";
import { sendPlanNotice } from "./plan-notices.ts";
import { decomposeKey, type PlanSpec } from "./plan-spec.ts";
import { makeTasks } from "./plan-tasks.ts";
import { readPlanNodes } from "./read-plan.ts";

export type PlanOrder = Readonly<{
  /** Sound by `requireSoundPlan`. */
  spec: PlanSpec;
  caps: PlanCaps;
  /** Whether it waits as a draft until somebody resumes it; a goal is decomposed first. */
  hold: boolean;
  origin: Row<"plans">["origin"];
  requestedBy: string;
  traceId: string;
}>;

/** Puts a plan on record: its nodes as they are given, or the planner's own node, which will bring them. */
export async function createPlan({ db }: Pick<Store, "db">, order: PlanOrder): Promise<Row<"plans">> {
  const { spec, caps, hold, origin, requestedBy, traceId } = order;
  return db.transaction().execute(async (trx) => {
    const plan = await trx
      .insertInto("plans")
      .values({
        goal: storableText(spec.goal),
        state: spec.nodes === undefined ? "planning" : hold ? "draft" : "running",
        hold,
        caps: JSON.stringify(caps),
        urgency: spec.urgency,
        complexity: spec.complexity,
        origin,
        requested_by: storableText(requestedBy),
        trace_id: traceId,
        started_at: hold ? null : new Date(),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    if (spec.nodes === undefined) await insertDecompose(trx, plan.id);
    else await insertNodes(trx, plan, spec.nodes);
    // A draft is nobody's work yet.
    if (plan.state !== "draft") await makeTasks(trx, plan, await readPlanNodes(trx, plan.id));
    await recordEvent(trx, {
      kind: "plan.created",
      actor: requestedBy,
      subject: `plan:${formatPlanId(plan.id)}`,
      detail: { state: plan.state, nodes: spec.nodes?.length ?? null },
      traceId,
    });
    await sendPlanNotice(trx, { planId: plan.id, byDriver: false });
    return trx.selectFrom("plans").selectAll().where("id", "=", plan.id).executeTakeFirstOrThrow();
  });
}

async function insertDecompose(trx: Db, planId: number): Promise<void> {
  const spec = { key: decomposeKey, kind: "decompose", needs: [], optional: false } as const;
  await trx
    .insertInto("plan_nodes")
    .values({
      plan_id: planId,
      key: decomposeKey,
      position: 0,
      level: 0,
      kind: "decompose",
      spec: JSON.stringify(spec),
      optional: false,
      state: "waiting",
      history: "[]",
    })
    .execute();
}
