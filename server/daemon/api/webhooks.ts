import { Hono } from "hono";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { requireJob } from "../../jobs/read.ts";
import { personCommand } from "../../person-command.ts";
import { findWebhook, makeWebhook, removeWebhook } from "../../runs/triggers/webhooks.ts";
import type { DaemonDeps } from "../deps.ts";
import { parseBody } from "./parse.ts";

const makeBody = z.strictObject({ rotate: z.boolean().default(false) });
const actor = "person";

/** Secret addresses of jobs, at the person's door alone. A token is given once, when it is made. */
export function webhooksApi(deps: DaemonDeps): Hono {
  const { store, approvals, config } = deps;
  return new Hono()
    .get("/api/jobs/:name/webhook", async (c) => {
      const { name } = await requireJob(deps, c.req.param("name"));
      return c.json({ webhook: (await findWebhook(store.db, name)) ?? null });
    })
    .post("/api/jobs/:name/webhook", async (c) => {
      const { rotate } = await parseBody(c, makeBody);
      const { name } = await requireJob(deps, c.req.param("name"));
      const { version, manifest } = await approvals.requireRunnable(name);
      if (!manifest.triggers.webhook) {
        throw new UserError("permission_denied", `v${version} of "${name}", which is approved, has no webhook.`, {
          next: `declare triggers: { webhook: true } in the job, then ${personCommand(config.home, "approve", name)}`,
        });
      }
      return c.json({ token: await makeWebhook(store.db, { job: name, rotate, actor, home: config.home }) });
    })
    .post("/api/jobs/:name/webhook/remove", async (c) => {
      await parseBody(c, z.strictObject({}));
      const { name } = await requireJob(deps, c.req.param("name"));
      return c.json({ removed: await removeWebhook(store.db, { job: name, actor }) });
    });
}
