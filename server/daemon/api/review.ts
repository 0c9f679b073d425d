import { Hono } from "hono";
import { z } from "zod";
import { readReviewMaterial } from "../../review/read-review-material.ts";
import { recordDecisions } from "../../review/record-decision.ts";
import { rejectVersion } from "../../review/reject-version.ts";
import type { DaemonDeps } from "../deps.ts";
import { parse, parseBody } from "./parse.ts";

type ReviewApiDeps = Pick<DaemonDeps, "store" | "approvals" | "clock" | "nudge"> &
  Partial<Pick<DaemonDeps, "diffBehaviour">> &
  Readonly<{ config: Pick<DaemonDeps["config"], "home"> }>;

const signedSchema = z.strictObject({ text: z.string().max(10_000), signature: z.string().max(200) });
/** One decision, or several that follow each other and count together or not at all. */
const decisionsBody = z.union([signedSchema, z.strictObject({ decisions: z.array(signedSchema).min(1).max(1000) })]);
const rejectBody = z.strictObject({ version: z.int().positive().nullable(), note: z.string().max(2000).nullable() });

/** Reviews and decisions at the person's door, with whole paths. Deciding takes a signature; the daemon itself can make none. */
export function reviewApi(deps: ReviewApiDeps): Hono {
  const { store, approvals, diffBehaviour, config, clock, nudge } = deps;
  return new Hono()
    .get("/api/jobs/:name/review", async (c) => {
      const asked = c.req.query("version");
      const version = asked === undefined ? undefined : parse(z.coerce.number().int().positive(), asked);
      return c.json(await readReviewMaterial({ db: store.db, approvals, diffBehaviour }, c.req.param("name"), version));
    })
    .post("/api/jobs/:name/reject", async (c) => {
      const { version, note } = await parseBody(c, rejectBody);
      const subject = { kind: "job", name: c.req.param("name") } as const;
      return c.json({ version: await rejectVersion(store.db, subject, { version, note }) });
    })
    .post("/api/decisions", async (c) => {
      const body = await parseBody(c, decisionsBody);
      const links = await recordDecisions(
        { store, home: config.home, approvals, clock },
        "decisions" in body ? body.decisions : [body],
      );
      nudge();
      return c.json({ recorded: links.map(({ seq, hash }) => ({ seq, hash })) });
    })
    .get("/api/approvals", async (c) =>
      c.json({ ...(await approvals.status()), live: await approvals.liveSubjects() }),
    );
}
