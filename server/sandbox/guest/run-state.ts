import { describeError, type ErrorText } from "./describe-error.ts";
import { host } from "./host.ts";
import { jsonStringify, withoutPrototype } from "./primordials.ts";

/*
 * How the run stands: settled or not, and what is in flight. The child asks for it after each entry into the isolate.
 */

type Settled = { state: "succeeded"; outputJson: string | null } | { state: "failed"; error: ErrorText };

const run: { settled: Settled | undefined; waiting: number; over: boolean } = {
  settled: undefined,
  waiting: 0,
  over: false,
};

export function settleRun(settled: Settled): void {
  run.settled ??= settled;
}

/** Counts calls whose reply can still wake the job up. */
export function countWaiting(change: 1 | -1): void {
  run.waiting += change;
}

/** Ends the run from within: nothing is issued or logged after. */
export function breachLimit(limit: string, message: string): void {
  if (run.over) return;
  run.over = true;
  const error = new Error(message);
  error.name = "LimitError";
  host().limit(limit, jsonStringify(describeError(error)));
}

export function isOver(): boolean {
  return run.over;
}

/** JSON of how the run ended, or "" while it waits for a reply. To be asked for when the isolate is quiet. */
export function readStatus(): string {
  if (run.settled !== undefined) return jsonStringify(withoutPrototype(run.settled));
  if (run.waiting > 0) return "";
  const message =
    "the job waits for a promise that can never settle: run() is not finished, and no fetch, timer or other call is in flight that could wake it";
  const error = withoutPrototype({ name: "NeverSettlesError", message, stack: "" });
  return jsonStringify(withoutPrototype({ state: "failed", error }));
}
