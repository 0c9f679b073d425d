import { Hono } from "hono";
import { z } from "zod";
import { listEvents } from "../../runs/events.ts";
import type { DaemonDeps } from "../deps.ts";
import { countText, limitText, parse } from "./parse.ts";

const query = z.strictObject({
  kind: z.string().max(60).optional(),
  subject: z.string().max(200).optional(),
  actor: z.string().max(200).optional(),
  before: countText.optional(),
  limit: limitText.default(50),
});

/** Who did or tried what, at the person's door. */
export function auditApi({ store }: Pick<DaemonDeps, "store">): Hono {
  return new Hono().get("/api/audit", async (c) => {
    const { limit, ...filter } = parse(query, c.req.query());
    const rows = await listEvents(store.db, { ...filter, limit: limit + 1 });
    const events = rows.slice(0, limit).map(({ detail, ...event }) => ({ ...event, detail: JSON.parse(detail) }));
    return c.json({ events, before: rows.length > limit ? (events.at(-1)?.id ?? null) : null });
  });
}
