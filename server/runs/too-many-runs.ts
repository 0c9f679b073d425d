import { sql } from "kysely";
import type { Manifest } from "../jobs/manifest.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { type AttemptOutcome, failedAs } from "./attempt-outcome.ts";

/** The end of a run that would be one more than its job may start within an hour; undefined where it may go on. */
export type TooManyRuns = (
  run: Pick<Row<"runs">, "id" | "job">,
  limits: Pick<Manifest["limits"], "runsPerHour">,
) => Promise<AttemptOutcome | undefined>;

/** At least as many starts as there were within the hour before `since`. */
type Known = Readonly<{ since: Date; atMost: number }>;

/** A start that another worker had not committed when its time was counted is counted later. */
const overlapMs = 200;
/** Starts that are looked through each time, before they are added to what is known. */
const mostAnew = 50;

/**
 * Counts for as long as a worker lives, so that what a start costs does not grow with the starts before it: those since the last count
 * are added to it, and only where that reaches the limit is the whole hour counted again.
 */
export function countStarts(db: Db): TooManyRuns {
  const known = new Map<string, Known>();

  async function count({ id, job }: Pick<Row<"runs">, "id" | "job">, since: Date | null, most: number) {
    const { rows } = await sql<{ starts: number; at: Date }>`
      select count(*)::integer as starts, statement_timestamp() as at from (
        select 1 from runs
        where job = ${job}::text and started_at > coalesce(${since}::timestamptz, statement_timestamp() - interval '1 hour')
          and id <> ${id}::bigint
        order by started_at desc limit ${most}::integer
      ) as start`.execute(db);
    const [row] = rows;
    if (row === undefined) throw new Error(`the starts of ${job} were not counted`);
    return { starts: row.starts, nextSince: new Date(row.at.getTime() - overlapMs) };
  }

  return async (run, { runsPerHour }) => {
    const last = known.get(run.job);
    const room = runsPerHour - (last?.atMost ?? runsPerHour);
    if (last !== undefined && room > 0) {
      const { starts, nextSince } = await count(run, last.since, room);
      if (starts >= mostAnew) known.set(run.job, { since: nextSince, atMost: last.atMost + starts + 1 });
      if (starts < room) return undefined;
    }
    const { starts, nextSince } = await count(run, null, runsPerHour);
    known.set(run.job, { since: nextSince, atMost: starts + 1 });
    if (starts < runsPerHour) return undefined;
    return failedAs("failed", {
      reason: "runs_per_hour",
      class: "policy",
      limit: "runsPerHour",
      message: `The job has started ${runsPerHour} runs within the last hour; limits.runsPerHour in defineJob raises that.`,
    });
  };
}
