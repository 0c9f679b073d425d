import type { ErrorCode } from "../errors.ts";
import type { GuestError } from "../sandbox/types.ts";
import type { RunError } from "./run-error.ts";

/** Codes of calls that fail again however often they are tried, until somebody changes the job, its settings or its place. */
const hopeless: ReadonlySet<string> = new Set<ErrorCode>([
  "approval_invalid",
  "file_exists",
  "file_unsafe",
  "input_invalid",
  "invalid_argument",
  "invalid_config",
  "job_not_found",
  "job_retired",
  "limit_exceeded",
  "model_missing",
  "not_approved",
  "secret_not_found",
  "target_not_found",
  "unsupported",
]);

/**
 * What an error that ended the job means: its standard reason, and whether trying again may help. A mistake in the job stays one,
 * and so does what it throws as PermanentError; anything else may be the outside's fault.
 */
export function classifyThrown({ name, message, code, permanent }: GuestError): Pick<RunError, "reason" | "class"> {
  if (permanent === true) return { reason: "threw", class: "permanent" };
  switch (name) {
    case "InputError":
      return { reason: "input", class: "permanent" };
    case "NeverSettlesError":
      return { reason: "never_settles", class: "permanent" };
    case "PermissionError":
      return { reason: "permission_denied", class: "policy" };
    case "ReferenceError":
      return { reason: "threw", class: "permanent" };
    case "EffectError":
      return hopeless.has(code ?? "")
        ? { reason: "call_refused", class: "permanent" }
        : { reason: "call_failed", class: "transient" };
    case "TimeoutError":
      return { reason: "call_timeout", class: "transient" };
    case "TypeError":
      return { reason: message.startsWith("fetch failed") ? "fetch_failed" : "threw", class: "transient" };
    default:
      return { reason: "threw", class: "transient" };
  }
}
