import type { Row } from "../store/tables.ts";
import { readRunError } from "./run-error.ts";
import { formatRunId } from "./run-id.ts";

/** The one alert that all failures of a job share. */
export function failureAlert(run: Pick<Row<"runs">, "id" | "job" | "state" | "error">): {
  key: string;
  message: string;
} {
  const error = readRunError(run.error);
  const detail = error === null ? "" : `: ${error.message}`;
  return { key: `job:${run.job}:failed`, message: `${formatRunId(run.id)} of ${run.job} ${run.state}${detail}` };
}
