import type { Settlement } from "../../../server/runs/queue/settle.ts";
import type { ErrorClass, Outcome } from "./model.ts";

/** How a worker lets go of a run, as the queue wants to be told. */
export function settlement(state: Outcome, cls: ErrorClass, wakeMs: number | null, now: number): Settlement {
  const error = { reason: "threw", class: cls, message: "no" } as const;
  switch (state) {
    case "suspended":
      return { state, wakeAt: wakeMs === null ? null : new Date(now + wakeMs), activeMs: 5 };
    case "needs_decision":
    case "put_back":
    case "unserved":
    case "lost":
      return { state, error: { ...error, class: "transient" } };
    case "succeeded":
      return { state, output: "1", error: null };
    default:
      return { state, output: null, error };
  }
}
