import type { Row } from "../store/tables.ts";
import type { AlertRequest } from "./alerts.ts";
import type { Stretch } from "./missed-slots.ts";
import { formatRunId } from "./run-id.ts";
import { skippedLine } from "./skipped-text.ts";

/** The one alert that all missed slots of a job share; the next slot that is met on time ends it. */
export function missedAlertKey(job: string): string {
  return `job:${job}:missed`;
}

/** Slots that came due while nobody ticked, and are not made up for. */
export function missedSlotsAlert(
  job: string,
  { first, last, slots }: Stretch,
  { reason, timezone }: Readonly<{ reason: string; timezone: string }>,
): AlertRequest {
  const skipped = { slot: first, last_slot: last, slots, outcome: "missed", reason } as const;
  return { key: missedAlertKey(job), message: `${job} ${skippedLine(skipped, timezone)}` };
}

/** A run that could not start in time. */
export function missedRunAlert({ id, job }: Pick<Row<"runs">, "id" | "job">): AlertRequest {
  const message = `${formatRunId(id)} of ${job} missed its slot: it could not start within the schedule's startDeadline`;
  return { key: missedAlertKey(job), message, runId: id };
}
