import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import { pauseJob, retireJob } from "../../jobs/control.ts";
import type { JobsDeps } from "../../jobs/jobs-deps.ts";
import {
  activeVersion,
  diffVersions,
  listJobs,
  listVersions,
  requireJob,
  requireVersion,
  type Version,
  versionFiles,
} from "../../jobs/read.ts";
import { nextSlots, scheduleInWords } from "../../jobs/schedule-words.ts";
import { submitJob } from "../../jobs/submit-job.ts";
import { requestRun } from "../../runs/control.ts";
import { listSkippedSlots } from "../../runs/read.ts";
import { parseStartTime } from "../../runs/start-time.ts";
import { waitForRun } from "../../runs/wait-for-run.ts";
import type { DaemonDeps } from "../deps.ts";
import { listComingSlots } from "./coming-slots.ts";
import { listTriggers } from "./list-triggers.ts";
import { countText, limitText, parse, parseBody } from "./parse.ts";
import { listWaitingRuns } from "./waiting-runs.ts";

const shownSkipped = 5;
const listQuery = z.strictObject({
  state: z.enum(["active", "paused", "retired"]).optional(),
  limit: limitText.default(200),
  cursor: z.string().max(100).optional(),
});
const diffQuery = z.strictObject({ from: countText, to: countText });
const nextQuery = z.strictObject({ limit: limitText.default(10), job: z.string().max(100).optional() });
const pauseBody = z.strictObject({ reason: z.string().max(500).nullable().default(null) });
const submitBody = z.strictObject({
  name: z.string().max(200),
  source: z.string().optional(),
  files: z.record(z.string(), z.string()).optional(),
  note: z.string().max(2_000).nullable().default(null),
  dry_run: z.boolean().default(false),
});
const runBody = z.strictObject({
  input: z.json().optional(),
  dedupe_key: z.string().min(1).max(200).optional(),
  at: z.string().max(40).optional(),
  in: z.string().max(20).optional(),
  wait_seconds: z.number().min(0).max(50).default(0),
});

/** How many coming slots are shown of each schedule. */
const shownSlots = 5;
const actor = "person";

/** Jobs at the person's door, with whole paths: reading, pausing, retiring, submitting and starting. Nothing here approves. */
export function jobsApi(deps: JobsDeps & Pick<DaemonDeps, "nudge">): Hono {
  const { store, clock, config, nudge } = deps;
  const { db } = store;
  return new Hono()
    .get("/api/jobs", async (c) => c.json(await listJobs(deps, parse(listQuery, c.req.query()))))
    .post("/api/jobs", async (c) => {
      const { name, source, files, note, dry_run } = await parseBody(c, submitBody);
      const content = files === undefined ? { source } : { source, files: new Map(Object.entries(files)) };
      const options = { note, dryRun: dry_run, proposedBy: actor, writeFolder: true, traceId: randomUUID() };
      return c.json(await submitJob(deps, { name, ...content, ...options }));
    })
    .get("/api/next", async (c) => {
      const query = parse(nextQuery, c.req.query());
      const [slots, waiting, triggers] = await Promise.all([
        listComingSlots(db, { ...query, now: clock() }),
        listWaitingRuns(db, query),
        listTriggers({ db, approvals: deps.approvals }, query),
      ]);
      return c.json({ slots, waiting, triggers });
    })
    .get("/api/jobs/:name", async (c) => {
      const job = await requireJob(deps, c.req.param("name"));
      const shown = await requireVersion(db, job.name, job.active ?? undefined);
      const skipped = await listSkippedSlots(db, { job: job.name, limit: shownSkipped });
      return c.json({ job, version: versionView(shown, clock()), skipped });
    })
    .get("/api/jobs/:name/versions", async (c) => {
      const name = c.req.param("name");
      const versions = await listVersions(db, name);
      return c.json({
        active: await activeVersion(deps, name),
        versions: versions.map((version) => versionView(version, clock())),
      });
    })
    .get("/api/jobs/:name/versions/:number", async (c) => {
      const version = await requireVersion(db, c.req.param("name"), parse(countText, c.req.param("number")));
      return c.json({ version: versionView(version, clock()) });
    })
    .get("/api/jobs/:name/versions/:number/files", async (c) => {
      const files = await versionFiles(db, c.req.param("name"), parse(countText, c.req.param("number")));
      return c.json({ files: [...files].map(([path, text]) => ({ path, text })) });
    })
    .get("/api/jobs/:name/diff", async (c) => {
      const { from, to } = parse(diffQuery, c.req.query());
      return c.json({ diff: await diffVersions(db, c.req.param("name"), from, to) });
    })
    .post("/api/jobs/:name/pause", async (c) => {
      const { reason } = await parseBody(c, pauseBody);
      const job = c.req.param("name");
      await pauseJob(db, { job, by: "person", reason, actor, traceId: randomUUID() });
      return c.json({ job: await requireJob(deps, job) });
    })
    .post("/api/jobs/:name/retire", async (c) => {
      await parseBody(c, z.strictObject({}));
      const job = c.req.param("name");
      await retireJob(db, { job, by: "person", actor, traceId: randomUUID() });
      nudge();
      return c.json({ job: await requireJob(deps, job) });
    })
    .post("/api/jobs/:name/runs", async (c) => {
      const { input, dedupe_key, wait_seconds, ...when } = await parseBody(c, runBody);
      const { run, created } = await requestRun(deps, {
        job: c.req.param("name"),
        input,
        trigger: "person",
        requestedBy: actor,
        dedupeKey: dedupe_key,
        start: parseStartTime(when, { timezone: config.timezone, now: clock() }),
        traceId: randomUUID(),
      });
      const wait = { waitSeconds: wait_seconds, signal: c.req.raw.signal };
      return c.json({ run: await waitForRun(deps, run.id, wait), created });
    });
}

/** A version without its bundle and files, its schedules in words and with their coming slots. */
function versionView(version: Version, now: Date) {
  const { snapshot: _snapshot, ...rest } = version;
  const schedules = version.manifest.schedules.map((schedule) => ({
    ...schedule,
    words: scheduleInWords(schedule),
    next: nextSlots(schedule, now, shownSlots),
  }));
  return { ...rest, schedules };
}
