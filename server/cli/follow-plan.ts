import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { formatPlanId } from "../plans/plan-id.ts";
import { visibleLine } from "../review/visible-text.ts";
import type { DaemonClient } from "./client.ts";
import { type CliContext, say } from "./context.ts";
import { type PlanWaitAnswer, planWaitAnswer } from "./plan-answer.ts";
import { stateText } from "./show-list.ts";

const lookMs = 700;
const errorText = z.object({ reason: z.string(), message: z.string() });

/** Says what becomes of each node until the plan is at rest; ending this leaves the plan going. */
export async function followPlan(context: CliContext, client: DaemonClient, planId: number): Promise<PlanWaitAnswer> {
  const told = new Map<string, string>();
  for (;;) {
    const now = await client.get(`/api/plans/${planId}/wait?seconds=0`, planWaitAnswer);
    for (const node of now.nodes) {
      const state = `${node.state} ${node.attempt}`;
      if (node.state === "waiting" || told.get(node.key) === state) continue;
      told.set(node.key, state);
      say(context, `${node.key} ${stateText(context, node.state)}${visibleLine(remark(node))}`);
    }
    if (now.ended) return now;
    await delay(lookMs, undefined, { signal: context.signal }).catch(() => undefined);
    if (context.signal.aborted) {
      say(context, `${formatPlanId(planId)} goes on by itself.`);
      return now;
    }
  }
}

function remark({ kind, state, task_id, error }: PlanWaitAnswer["nodes"][number]): string {
  if (error !== null) {
    const { reason, message } = errorText.parse(JSON.parse(error));
    return `: ${reason === state ? "" : `${reason}: `}${message.slice(0, 300)}`;
  }
  if (state !== "running" || task_id === null) return "";
  if (kind === "person") return `: it is yours, jr task done T${task_id}`;
  return kind === "host" ? `: a host agent's, T${task_id}` : "";
}
