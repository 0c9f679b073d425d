import { z } from "zod";
import { formatTime } from "../server/format-time.ts";
import { type JobOverview, listJobs } from "../server/jobs/read.ts";
import { formatRunId } from "../server/runs/read.ts";
import { cursor, limit } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { inline } from "./fence.ts";

export const jobList = defineTool({
  name: "job_list",
  title: "List jobs",
  description: "The jobs with their active version, a version that waits for the person, next slot and last run.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ state: z.enum(["active", "paused", "retired"]).optional(), limit, cursor }),
  async handle(context, { state, limit, cursor }) {
    const page = await listJobs(context, { state, limit, cursor });
    if (page.rows.length === 0) {
      const which = state === undefined ? "" : ` that are ${state}`;
      return `No jobs${which}${cursor === undefined ? "" : " beyond that cursor"}. Write one: skill_read {"name": "write-job"}.`;
    }
    const more = page.cursor === null ? "" : `\n\nMore: job_list with cursor "${page.cursor}".`;
    return `${page.rows.map((job) => jobLine(job, context.config.timezone)).join("\n")}${more}`;
  },
});

/** A job in one line of a list. */
export function jobLine(job: JobOverview, timezone: string): string {
  const parts = [
    `**${job.name}** ${job.state}${job.state === "paused" ? ` by ${job.paused_by ?? "?"}${job.paused_reason === null ? "" : ` (${inline(job.paused_reason, 80)})`}` : ""}`,
    job.active === null ? "nothing approved" : `v${job.active} active`,
    ...(job.pending === null ? [] : [`**v${job.pending} waits for the person**`]),
    ...(job.next_slot === null ? [] : [`next ${formatTime(job.next_slot, timezone)}`]),
    ...(job.last_run === null ? [] : [`last ${formatRunId(job.last_run.id)} ${job.last_run.state}`]),
  ];
  return `- ${parts.join(" · ")}`;
}
