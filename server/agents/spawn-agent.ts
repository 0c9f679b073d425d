import { z } from "zod";
import { UserError } from "../errors.ts";
import { recordEvent } from "../runs/events.ts";
import type { Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import { formatAgentId } from "./agent-id.ts";
import { sendAgentNotice } from "./agent-notices.ts";
import { type AgentOrder, jsonSchema, type Oracle } from "./agent-order.ts";
import type { AgentsDeps } from "./agents-deps.ts";
import { bundleAnswerTest } from "./oracle/bundle-answer-test.ts";

const longestPrompt = 200_000;
/** Whatever roles say: agents that start agents must come to an end. */
const deepest = 8;
const longestTitle = 120;

/**
 * Puts an agent into the queue. A dedupe key that was used already brings back that agent. Throws `permission_denied` where it would
 * stand too deep, `budget_exceeded` where its plan has no room for it, `invalid_argument`, and what `requireRole` and
 * `requireCommand` throw.
 */
export async function spawnAgent(deps: AgentsDeps, order: AgentOrder): Promise<Row<"agents">> {
  await deps.requireRole(order.role);
  if (order.depth > deepest) {
    throw new UserError(
      "permission_denied",
      `${order.depth} agents would stand above this one, more than ${deepest}.`,
      {
        next: "do this piece of work yourself",
      },
    );
  }
  if (order.prompt.length > longestPrompt) {
    throw new UserError("invalid_argument", `The task has more than ${longestPrompt} characters.`, {
      next: "put long material into files of the folder that it works in",
    });
  }
  if (order.schema !== undefined && order.schema !== null) requireJsonSchema(order.schema);
  if (order.oracle !== undefined && order.oracle !== null) await requireOracle(deps, order.oracle);
  const agent = await insert(deps, order);
  deps.log.info({ agent: agent.id, role: agent.role, trace: agent.trace_id }, "agent requested");
  return agent;
}

/** A judge that cannot work is found out before anything is spent on an answer. */
async function requireOracle(deps: AgentsDeps, oracle: Oracle): Promise<void> {
  switch (oracle.kind) {
    case "schema":
      return requireJsonSchema(oracle.schema);
    case "command":
      return void (await deps.requireCommand(oracle.command, oracle.args));
    case "model":
      return void (await deps.requireRole(oracle.role));
    case "test":
      return void (await bundleAnswerTest(oracle.source));
    default:
      oracle satisfies never;
  }
}

function requireJsonSchema(schema: Readonly<Record<string, unknown>>): void {
  const { error } = jsonSchema.safeParse(schema);
  if (error !== undefined) throw new UserError("invalid_argument", z.prettifyError(error));
}

async function insert({ store, requirePlanRoom }: AgentsDeps, order: AgentOrder): Promise<Row<"agents">> {
  const json = (value: unknown) => (value === undefined || value === null ? null : storableText(JSON.stringify(value)));
  return store.db.transaction().execute(async (trx) => {
    const inserted = await trx
      .insertInto("agents")
      .values({
        role: order.role,
        title: storableText(order.title ?? titleOf(order.prompt)).slice(0, longestTitle),
        state: "queued",
        prompt: storableText(order.prompt),
        folder: order.folder,
        models: order.models === undefined || order.models.length === 0 ? null : json(order.models),
        // Text that was asked for by name differs from what is left to the role.
        schema: order.schema === null ? "null" : json(order.schema),
        oracle: json(order.oracle),
        limits: JSON.stringify(order.limits ?? {}),
        urgency: order.urgency ?? "normal",
        complexity: order.complexity ?? "medium",
        task_id: order.taskId ?? null,
        plan_id: order.planId ?? null,
        node: order.node ?? null,
        parent_agent: order.parentAgent ?? null,
        parent_run: order.parentRun ?? null,
        depth: order.depth,
        dedupe_key: order.dedupeKey,
        trace_id: order.traceId,
        requested_by: storableText(order.requestedBy),
      })
      .onConflict((conflict) => conflict.column("dedupe_key").doNothing())
      .returningAll()
      .executeTakeFirst();
    if (inserted === undefined) {
      const known = trx.selectFrom("agents").selectAll().where("dedupe_key", "=", order.dedupeKey);
      return known.executeTakeFirstOrThrow();
    }
    const { plan_id: planId, depth } = inserted;
    if (planId !== null) await requirePlanRoom?.(trx, { planId, depth });
    await recordEvent(trx, {
      kind: "agent.requested",
      actor: order.requestedBy,
      subject: `agent:${formatAgentId(inserted.id)}`,
      detail: { role: order.role, depth: order.depth },
      traceId: order.traceId,
    });
    await sendAgentNotice(trx, { kind: "queued" });
    return inserted;
  });
}

function titleOf(prompt: string): string {
  const line = prompt.trim().split("\n", 1)[0] ?? "";
  return line.length <= longestTitle ? line : `${line.slice(0, longestTitle - 1)}…`;
}
