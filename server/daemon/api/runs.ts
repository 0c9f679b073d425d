import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import { requestCancel } from "../../runs/control.ts";
import { findRunFolder } from "../../runs/find-run-folder.ts";
import { listRuns, readAttempts, readEffects, readRunLog, requireRun } from "../../runs/read.ts";
import { readArtifacts } from "../../runs/read-artifacts.ts";
import { isFinal } from "../../runs/run-states.ts";
import { readRunEvent } from "../../runs/triggers/run-event.ts";
import { longestWaitSeconds, waitForRun } from "../../runs/wait-for-run.ts";
import { whyWaiting } from "../../runs/workers/why-waiting.ts";
import type { DaemonDeps } from "../deps.ts";
import { countText, limitText, parse, parseBody } from "./parse.ts";
import { logCursorAfter, parseLogCursor, readRunLogAfter } from "./run-log-after.ts";

const runState = z.enum([
  "queued",
  "running",
  "suspended",
  "succeeded",
  "failed",
  "timed_out",
  "out_of_memory",
  "crashed",
  "cancelled",
  "denied",
  "needs_decision",
]);
const listQuery = z.strictObject({
  job: z.string().max(100).optional(),
  /** `dead` is no state of its own: what failed for good and was not dealt with. */
  state: z.union([runState, z.literal("dead")]).optional(),
  limit: limitText.default(20),
  cursor: z.string().max(20).optional(),
});
const logQuery = z.strictObject({
  attempt: countText.optional(),
  tail: z.coerce.number().int().min(1).max(10_000).default(200),
  /** Where `after` is given, `attempt` and `tail` do not count. */
  after: z.string().max(30).optional(),
});
const effectsQuery = z.strictObject({
  attempt: countText.optional(),
  after: z.coerce.number().int().nonnegative().default(0),
  limit: limitText.default(100),
});
const waitQuery = z.strictObject({
  seconds: z.coerce.number().min(0).max(longestWaitSeconds).default(longestWaitSeconds),
});

/** Most lines of one answer to somebody who follows a log. */
const followLines = 2_000;

/** Runs at the person's door, with whole paths: reading them, waiting for them, cancelling them. */
export function runsApi(deps: Pick<DaemonDeps, "store" | "config">): Hono {
  const { store } = deps;
  const { db } = store;
  return new Hono()
    .get("/api/runs", async (c) => {
      const { state, ...query } = parse(listQuery, c.req.query());
      return c.json(await listRuns(db, { ...query, ...(state === "dead" ? { dead: true } : { state }) }));
    })
    .get("/api/runs/:run", async (c) => {
      const run = await requireRun(db, c.req.param("run"));
      return c.json({
        run,
        attempts: await readAttempts(db, run.id),
        event: await readRunEvent(db, run),
        waits_for: (await whyWaiting(store, run)) ?? null,
      });
    })
    .get("/api/runs/:run/log", async (c) => {
      const { attempt, tail, after } = parse(logQuery, c.req.query());
      // Read first: what a run logged before its end is there once its end can be seen.
      const { id: runId, state } = await requireRun(db, c.req.param("run"));
      const ended = isFinal(state);
      if (after === undefined) {
        const log = await readRunLog(db, { runId, attempt, tail });
        return c.json({ lines: log.lines, before: log.before, next: logCursorAfter(log.lines, "0.0"), state, ended });
      }
      const lines = await readRunLogAfter(db, { runId, after: parseLogCursor(after), limit: followLines });
      return c.json({
        lines,
        before: 0,
        next: logCursorAfter(lines, after),
        state,
        ended: ended && lines.length < followLines,
      });
    })
    .get("/api/runs/:run/effects", async (c) => {
      const { id } = await requireRun(db, c.req.param("run"));
      return c.json(await readEffects(db, { runId: id, ...parse(effectsQuery, c.req.query()) }));
    })
    .get("/api/runs/:run/artifacts", async (c) => {
      const { id } = await requireRun(db, c.req.param("run"));
      return c.json({
        ...(await findRunFolder(db, id, deps.config.home.runs)),
        artifacts: await readArtifacts(db, id),
      });
    })
    .get("/api/runs/:run/wait", async (c) => {
      const { seconds } = parse(waitQuery, c.req.query());
      const run = await waitForRun(deps, c.req.param("run"), { waitSeconds: seconds, signal: c.req.raw.signal });
      return c.json({ run, ended: isFinal(run.state) });
    })
    .post("/api/runs/:run/cancel", async (c) => {
      await parseBody(c, z.strictObject({}));
      const run = await requestCancel(deps, { run: c.req.param("run"), by: "person", traceId: randomUUID() });
      return c.json({ run });
    });
}
