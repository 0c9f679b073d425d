import type { RunState } from "../store/tables.ts";

/** Whether nothing more happens to a run in that state by itself: it has ended, or waits for a person's decision. */
export function isFinal(state: RunState): boolean {
  switch (state) {
    case "queued":
    case "running":
    case "suspended":
      return false;
    case "succeeded":
    case "failed":
    case "timed_out":
    case "out_of_memory":
    case "crashed":
    case "cancelled":
    case "denied":
    case "needs_decision":
      return true;
    default:
      return state satisfies never;
  }
}

/** Whether a run in that state has failed for good: a dead letter, until somebody deals with it. */
export function isFailure(state: RunState): boolean {
  return isFinal(state) && state !== "succeeded" && state !== "cancelled" && state !== "needs_decision";
}
