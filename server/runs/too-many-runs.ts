import type { Manifest } from "../jobs/manifest.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { type AttemptOutcome, failedAs } from "./attempt-outcome.ts";

const hourMs = 3_600_000;

/** The end of a run that would be one more than its job may start within an hour; undefined where it may go on. */
export async function tooManyRuns(
  db: Db,
  { run, manifest, now }: Readonly<{ run: Row<"runs">; manifest: Manifest; now: Date }>,
): Promise<AttemptOutcome | undefined> {
  const { runsPerHour } = manifest.limits;
  const further = await db
    .selectFrom("runs")
    .select("started_at")
    .where("job", "=", run.job)
    .where("started_at", ">", new Date(now.getTime() - hourMs))
    .where("id", "!=", run.id)
    .limit(1)
    .offset(runsPerHour - 1)
    .executeTakeFirst();
  if (further === undefined) return undefined;
  return failedAs("failed", {
    reason: "runs_per_hour",
    class: "policy",
    limit: "runsPerHour",
    message: `The job has started ${runsPerHour} runs within the last hour; limits.runsPerHour in defineJob raises that.`,
  });
}
