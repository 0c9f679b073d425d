import type { Row } from "../store/tables.ts";
import { readRunError } from "./run-error.ts";
import { formatRunId } from "./run-id.ts";

/** The one alert that all failures of a job share; a run that needs a decision has one of its own. */
export function failureAlert(run: Pick<Row<"runs">, "id" | "job" | "state" | "error">): {
  key: string;
  message: string;
} {
  const error = readRunError(run.error);
  const detail = error === null ? "" : `: ${error.message}`;
  const key = run.state === "needs_decision" ? questionAlertKey(run.id) : `job:${run.job}:failed`;
  return { key, message: `${formatRunId(run.id)} of ${run.job} ${run.state}${detail}` };
}

/** The alert of a run that waits for a person's answer. */
export function questionAlertKey(runId: number): string {
  return `run:${formatRunId(runId)}:question`;
}
