import { z } from "zod";
import { listRuns } from "../server/runs/read.ts";
import { cursor, jobName, limit } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { runLine } from "./run-text.ts";

const ended = ["succeeded", "cancelled"] as const;
const failed = ["failed", "timed_out", "out_of_memory", "crashed", "denied", "needs_decision"] as const;
const live = ["queued", "running", "suspended"] as const;
const groups = { failed, live } as const;

export const runList = defineTool({
  name: "run_list",
  title: "List runs",
  description:
    'Runs, latest first. state "failed" means every kind of failure, "live" what is queued or running, "dead" what failed for good and nobody has dealt with.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    job: jobName.optional(),
    state: z.enum(["live", "dead", ...failed, ...ended, ...live]).optional(),
    limit,
    cursor,
  }),
  async handle({ store, config }, { job, state, limit, cursor }) {
    const states = state === "failed" || state === "live" ? groups[state] : state;
    const which = states === "dead" ? { dead: true } : { state: states };
    const page = await listRuns(store.db, { job, ...which, limit, cursor });
    if (page.rows.length === 0) {
      const filter = [state, job === undefined ? undefined : `of ${job}`]
        .filter((word) => word !== undefined)
        .join(" ");
      return `No runs${filter === "" ? "" : ` (${filter})`}${cursor === undefined ? "" : " beyond that cursor"}. Start one with job_run.`;
    }
    const more = page.cursor === null ? "" : `\n\nMore: run_list with cursor "${page.cursor}".`;
    return `${page.rows.map((run) => runLine(run, config.timezone)).join("\n")}${more}`;
  },
});
