import { randomUUID } from "node:crypto";
import { type ErrorCode, UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import { asMachineTrouble } from "../machine-trouble.ts";

const statuses: Partial<Record<ErrorCode, number>> = {
  unauthorized: 401,
  permission_denied: 403,
  job_not_found: 404,
  version_not_found: 404,
  run_not_found: 404,
  template_not_found: 404,
  skill_not_found: 404,
  definition_not_found: 404,
  secret_not_found: 404,
  stale_review: 409,
  job_paused: 409,
  job_retired: 409,
  run_not_active: 409,
  store_unavailable: 503,
  disk_full: 507,
  too_many_files: 503,
};

/** The daemon's boundary on HTTP: the caller's own mistakes in words, bugs as an id that finds them in the log. */
export function errorAnswer(thrown: unknown, log: Log): Response {
  const fields = errorFields(thrown, log);
  const status = "id" in fields ? 500 : (statuses[fields.code] ?? 400);
  return Response.json(fields, { status });
}

/** The same for an answer that has begun already. */
export function errorFields(thrown: unknown, log: Log) {
  const error = asMachineTrouble(thrown) ?? thrown;
  if (error !== thrown) log.error({ err: thrown }, "the machine is in trouble");
  if (error instanceof UserError) {
    const { code, message, next } = error;
    return { code, message, next: next ?? null };
  }
  const id = randomUUID().slice(0, 8);
  log.error({ err: error, id }, "http call failed: a bug, or a machine in trouble");
  return { code: "internal_error", message: "Something went wrong inside JobRunner.", next: null, id } as const;
}
