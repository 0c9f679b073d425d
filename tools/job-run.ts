import { z } from "zod";
import { formatTime } from "../server/format-time.ts";
import { requestRun } from "../server/runs/control.ts";
import { formatRunId } from "../server/runs/read.ts";
import { parseStartTime } from "../server/runs/start-time.ts";
import { waitForRun } from "../server/runs/wait-for-run.ts";
import { jobName, waitSeconds } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { requireGrantedJob } from "./granted-job.ts";
import { nextStep, summaryOf } from "./run-read.ts";
import { hostLabel } from "./tool-context.ts";

export const jobRun = defineTool({
  name: "job_run",
  title: "Run a job",
  description:
    "Starts a run of the approved version and returns its id at once, or its result with wait_seconds. The same dedupe_key never starts a second run.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    name: jobName,
    input: z.json().describe("as the job's input schema says").optional(),
    dedupe_key: z.string().min(1).max(200).optional(),
    at: z.string().max(40).describe("start then, such as 2026-12-01T08:00").optional(),
    in: z.string().max(20).describe("start after so long, such as 2h").optional(),
    wait_seconds: waitSeconds,
  }),
  async handle(context, { name, input, dedupe_key, wait_seconds, ...when }) {
    requireGrantedJob(context, name);
    const { run, created } = await requestRun(context, {
      job: name,
      input,
      trigger: context.agent === undefined ? "host" : "agent",
      requestedBy: hostLabel(context.client),
      dedupeKey: dedupe_key,
      start: parseStartTime(when, { timezone: context.config.timezone, now: context.clock() }),
      traceId: context.traceId,
    });
    const later = when.at !== undefined || when.in !== undefined;
    const due = later ? `, due ${formatTime(run.run_at, context.config.timezone)}` : "";
    const same = created ? "" : `${formatRunId(run.id)} was started before with this dedupe_key; no second run.\n\n`;
    if (wait_seconds === undefined)
      return `${same}${formatRunId(run.id)} of ${name} is ${run.state}${due}. ${nextStep(run)}`;
    const now = await waitForRun(context, run.id, { waitSeconds: wait_seconds, signal: context.signal });
    return `${same}${await summaryOf(context, now)}\n\n${nextStep(now)}`;
  },
});
