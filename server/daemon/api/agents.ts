import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import { jsonSchema, limitsSchema, oracleSchema } from "../../agents/agent-order.ts";
import { cancelAgent } from "../../agents/cancel-agent.ts";
import { parseModel } from "../../agents/parse-model.ts";
import { isAgentFinal, listAgents, readSteps, requireAgent } from "../../agents/read-agents.ts";
import { readUsage } from "../../agents/read-usage.ts";
import { agentsDeps } from "../../agents/role-reader.ts";
import { rankRole } from "../../agents/routing/rank-role.ts";
import { spawnAgent } from "../../agents/spawn-agent.ts";
import { waitForAgent } from "../../agents/wait-for-agent.ts";
import { requireDefinition } from "../../definitions/read-definitions.ts";
import { longestWaitSeconds } from "../../runs/wait-for-run.ts";
import type { DaemonDeps } from "../deps.ts";
import { countText, limitText, parse, parseBody } from "./parse.ts";

const urgency = z.enum(["low", "normal", "high", "now"]);
const listQuery = z.strictObject({
  role: z.string().max(100).optional(),
  state: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]).optional(),
  plan: countText.optional(),
  limit: limitText.default(20),
  cursor: z.string().max(20).optional(),
});
const order = z.strictObject({
  role: z.string().min(1).max(100),
  task: z.string().min(1).max(200_000),
  models: z.array(z.string().max(250)).max(10).optional(),
  schema: jsonSchema.optional(),
  oracle: oracleSchema.optional(),
  limits: limitsSchema.partial().optional(),
  urgency: urgency.optional(),
  complexity: z.enum(["low", "medium", "high"]).optional(),
  dedupe_key: z.string().min(1).max(200).optional(),
});
const waitQuery = z.strictObject({
  seconds: z.coerce.number().min(0).max(longestWaitSeconds).default(longestWaitSeconds),
});

/** Agents at the person's door: asking for them, reading them, waiting for them, cancelling them. */
export function agentsApi(deps: Pick<DaemonDeps, "store" | "approvals" | "config" | "log">): Hono {
  const { store, approvals, config } = deps;
  const { db } = store;
  return new Hono()
    .get("/api/agents", async (c) => {
      const { plan, ...query } = parse(listQuery, c.req.query());
      return c.json(await listAgents(db, { ...query, planId: plan }));
    })
    .post("/api/agents", async (c) => {
      const { task, models, dedupe_key, ...rest } = await parseBody(c, order);
      const agent = await spawnAgent(agentsDeps(deps), {
        ...rest,
        prompt: task,
        models: models?.map(parseModel),
        depth: 0,
        folder: null,
        dedupeKey: dedupe_key === undefined ? null : `person:${dedupe_key}`,
        requestedBy: "person",
        traceId: randomUUID(),
      });
      return c.json({ agent });
    })
    .get("/api/agents/usage", async (c) => {
      const { days } = parse(z.strictObject({ days: countText.default(30) }), c.req.query());
      return c.json(await readUsage(db, { days, budget: config.agents.budget }));
    })
    .get("/api/agents/models/:role", async (c) => {
      const query = parse(z.strictObject({ urgency: urgency.default("normal") }), c.req.query());
      const name = c.req.param("role");
      const { manifest } = await requireDefinition({ store, approvals }, "role", name);
      return c.json({ ranking: await rankRole(db, config.agents, { name, manifest, ...query }) });
    })
    .get("/api/agents/:agent", async (c) => c.json({ agent: await requireAgent(db, c.req.param("agent")) }))
    .get("/api/agents/:agent/steps", async (c) => {
      const { tail } = parse(z.strictObject({ tail: countText.optional() }), c.req.query());
      const { id } = await requireAgent(db, c.req.param("agent"));
      return c.json({ steps: await readSteps(db, { agentId: id, tail }) });
    })
    .get("/api/agents/:agent/wait", async (c) => {
      const { seconds } = parse(waitQuery, c.req.query());
      const { id } = await requireAgent(db, c.req.param("agent"));
      const agent = await waitForAgent(deps, id, { waitSeconds: seconds, signal: c.req.raw.signal });
      return c.json({ agent, ended: isAgentFinal(agent.state) });
    })
    .post("/api/agents/:agent/cancel", async (c) => {
      await parseBody(c, z.strictObject({}));
      const agent = await cancelAgent(db, { id: c.req.param("agent"), by: "person", traceId: randomUUID() });
      return c.json({ agent });
    });
}
