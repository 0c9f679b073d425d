import { formatDuration } from "../duration.ts";
import type { ErrorCode } from "../errors.ts";
import type { GuestError, SandboxOutcome } from "../sandbox/types.ts";
import { classifyThrown } from "./classify-thrown.ts";
import type { LogRow } from "./log-writer.ts";
import type { RunError } from "./run-error.ts";

/** How an attempt ended, ready to be settled. `output` is JSON. */
export type AttemptOutcome = Readonly<{
  state: "succeeded" | "failed" | "timed_out" | "out_of_memory" | "crashed" | "cancelled" | "denied";
  output: string | null;
  error: RunError | null;
  /** Last lines of the log of a run that succeeded, which are written with its end. */
  log?: readonly LogRow[];
}>;

/** A refusal by the approvals. */
export function deniedOutcome(code: ErrorCode, message: string): AttemptOutcome {
  const reason =
    code === "approval_invalid" || code === "chain_broken" || code === "version_newer" ? code : "not_approved";
  return failedAs("denied", { reason, class: "policy", message });
}

/** Names what happened in the sandbox, with the setting to change where a limit was met. */
export function attemptOutcome(outcome: SandboxOutcome): AttemptOutcome {
  switch (outcome.state) {
    case "succeeded":
      return { state: "succeeded", output: outcome.outputJson, error: null };
    case "failed":
      return failedAs("failed", { ...classifyThrown(outcome.error), ...position(outcome.error) });
    case "limit_exceeded":
      return failedAs("failed", {
        reason: "limit",
        class: "permanent",
        limit: outcome.limit,
        ...position(outcome.error),
      });
    case "timed_out": {
      const { limit, afterMs } = outcome;
      const what = limit === "cpu" ? "It computed for" : "It took";
      const message = `${what} longer than ${formatDuration(afterMs)}; limits.${limit} in defineJob raises that.`;
      return failedAs("timed_out", { reason: limit, class: "timeout", limit, message });
    }
    case "out_of_memory": {
      const message = `It took more than ${outcome.limitMb} MB of memory; limits.memoryMb in defineJob raises that.`;
      return failedAs("out_of_memory", { reason: "memory", class: "memory", limit: "memoryMb", message });
    }
    case "crashed":
      return failedAs("crashed", { reason: "crashed", class: "transient", message: outcome.detail });
    case "cancelled":
      return failedAs("cancelled", { reason: "cancelled", class: "permanent", message: "It was cancelled." });
    default:
      return outcome satisfies never;
  }
}

/** The job went over a limit that this side counts. */
export function limitOutcome(limit: string, message: string): AttemptOutcome {
  return failedAs("failed", { reason: "limit", class: "permanent", limit, message });
}

export function failedAs(state: AttemptOutcome["state"], error: RunError): AttemptOutcome {
  return { state, output: null, error };
}

function position(error: GuestError): Omit<RunError, "reason" | "class"> {
  return {
    message: error.message,
    name: error.name,
    stack: error.stack,
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.file === null ? {} : { file: error.file }),
    ...(error.line === null ? {} : { line: error.line }),
    ...(error.column === null ? {} : { column: error.column }),
  };
}
