import { Hono } from "hono";
import { z } from "zod";
import type { JobsDeps } from "../../jobs/jobs-deps.ts";
import { mocksSchema } from "../../rehearsal/mocks.ts";
import { rehearseJob } from "../../rehearsal/rehearse-job.ts";
import { replayRun } from "../../rehearsal/replay-run.ts";
import { parseRunEvent } from "../../runs/triggers/run-event.ts";
import type { DaemonDeps } from "../deps.ts";
import { countText, parse, parseBody } from "./parse.ts";

const planBody = z.strictObject({
  name: z.string().max(200),
  version: z.int().positive().optional(),
  source: z.string().optional(),
  files: z.record(z.string(), z.string()).optional(),
  input: z.json().optional(),
  event: z.json().optional(),
  mocks: mocksSchema.optional(),
  run: z.string().max(20).optional(),
});
const replayQuery = z.strictObject({ attempt: countText.optional() });

/** Rehearsals and replays at the person's door, with whole paths. They store nothing and touch nothing. */
export function rehearsalApi(deps: JobsDeps & Pick<DaemonDeps, "pool">): Hono {
  const { store, pool } = deps;
  return new Hono()
    .post("/api/rehearsals", async (c) => {
      const { files, event: given, ...wanted } = await parseBody(c, planBody);
      const event = given === undefined ? undefined : parseRunEvent(given);
      const code = files === undefined ? {} : { files: new Map(Object.entries(files)) };
      return c.json(await rehearseJob(deps, { ...wanted, ...code, event, signal: c.req.raw.signal }));
    })
    .get("/api/runs/:run/replay", async (c) => {
      const { attempt } = parse(replayQuery, c.req.query());
      const wanted = { run: c.req.param("run"), attempt, signal: c.req.raw.signal };
      return c.json(await replayRun({ db: store.db, pool }, wanted));
    });
}
