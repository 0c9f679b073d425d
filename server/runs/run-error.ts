import { z } from "zod";

/** Every reason why an attempt fails, a run is given up or waits; stable, and told in docs/runs.md. */
export const runReasons = [
  "threw",
  "fetch_failed",
  "call_failed",
  "call_refused",
  "call_timeout",
  "never_settles",
  "input",
  "secrets",
  "limit",
  "runs_per_hour",
  "nondeterminism",
  "uncertain",
  "other_runtime",
  "restored",
  "permission_denied",
  "timeout",
  "cpu",
  "memory",
  "crashed",
  "shutdown",
  "unserved",
  "cancelled",
  "not_approved",
  "approval_invalid",
  "chain_broken",
  "version_newer",
  "start_deadline",
  "job_retired",
] as const;

/** Why an attempt failed. `class` decides about retries: `permanent`, `policy` and `nondeterminism` are never retried. */
const runErrorSchema = z.object({
  reason: z.enum(runReasons),
  class: z.enum(["transient", "permanent", "timeout", "memory", "policy", "nondeterminism"]),
  message: z.string(),
  /** Name of the limit that was met, as in the manifest. */
  limit: z.string().optional(),
  name: z.string().optional(),
  /** Of the call that failed. */
  code: z.string().optional(),
  stack: z.string().optional(),
  /** Position in the job's source. */
  file: z.string().optional(),
  line: z.number().optional(),
  column: z.number().optional(),
});

export type RunError = z.infer<typeof runErrorSchema>;

/** The RunError in the `error` column of a run or attempt; null where there is none. */
export function readRunError(column: string | null): RunError | null {
  return column === null ? null : runErrorSchema.parse(JSON.parse(column));
}
