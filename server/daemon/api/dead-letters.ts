import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import { type DeadFilter, dismissRuns, findDeadRuns, listDeadLetters } from "../../runs/dead-letters.ts";
import { redriveJob, redriveRuns } from "../../runs/redrive-run.ts";
import { runReasons } from "../../runs/run-error.ts";
import { formatRunId } from "../../runs/run-id.ts";
import type { DaemonDeps } from "../deps.ts";
import { limitText, parse, parseBody } from "./parse.ts";

const filter = {
  job: z.string().max(100).optional(),
  reason: z.enum(runReasons).optional(),
  /** Only what ended within so many milliseconds. */
  since_ms: z.coerce.number().int().positive().optional(),
};
const listQuery = z.strictObject({ ...filter, limit: limitText.default(50) });
const handles = z.array(z.string().max(20)).min(1).max(1_000);
const choice = z.union([z.strictObject({ runs: handles }), z.strictObject({ ...filter, job: z.string().max(100) })]);

/** Runs that failed for good: looking at them, redriving and dismissing them. Only this door dismisses. */
export function deadLettersApi(deps: DaemonDeps): Hono {
  const { store, clock, nudge } = deps;
  const { db } = store;
  const readFilter = ({ since_ms, job, reason }: { since_ms?: number | undefined } & DeadFilter) => ({
    job,
    reason,
    since: since_ms === undefined ? undefined : new Date(clock().getTime() - since_ms),
  });
  return new Hono()
    .get("/api/dead", async (c) => {
      const { limit, ...query } = parse(listQuery, c.req.query());
      return c.json({ groups: await listDeadLetters(db, { ...readFilter(query), limit }) });
    })
    .post("/api/dead/redrive", async (c) => {
      const body = await parseBody(c, choice);
      const by = { trigger: "person", requestedBy: "person", traceId: randomUUID() } as const;
      const { redriven, refused } =
        "runs" in body
          ? await redriveRuns(deps, body.runs, by)
          : await redriveJob(deps, { ...readFilter(body), job: body.job }, by);
      nudge();
      return c.json({
        redriven: redriven.map(({ from, as, created }) => ({
          run: formatRunId(from.id),
          job: from.job,
          as: formatRunId(as),
          created,
        })),
        refused: refused.map(({ run, error: { code, message, next } }) => ({ run, code, message, next: next ?? null })),
      });
    })
    .post("/api/dead/dismiss", async (c) => {
      const body = await parseBody(c, choice);
      const which =
        "runs" in body
          ? { runs: body.runs }
          : { runs: await findDeadRuns(db, { ...readFilter(body), job: body.job }, 1_000), job: body.job };
      const dismissed = await dismissRuns(db, { ...which, by: "person", traceId: randomUUID() });
      return c.json({ dismissed: dismissed.map(({ id, job }) => ({ run: formatRunId(id), job })) });
    });
}
