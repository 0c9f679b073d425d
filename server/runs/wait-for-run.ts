import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { requireRun } from "./read.ts";
import { parseRunId } from "./run-id.ts";
import { parseNotice, runsChannel } from "./run-notices.ts";
import { isFinal } from "./run-states.ts";
import { createWake } from "./wake.ts";

/** Longest wait of one call: hosts give up on a call after a minute. */
export const longestWaitSeconds = 50;

export type RunWait = Readonly<{
  /** At most 50; what is more is cut. */
  waitSeconds: number;
  /** Aborting ends the wait, not the run. */
  signal: AbortSignal;
}>;

/**
 * The run once it has ended, or as it is when the time is up or the signal aborts; at once where it sleeps or asks for longer than
 * that. Throws run_not_found.
 */
export async function waitForRun(
  { store }: Readonly<{ store: Store }>,
  handle: string | number,
  { waitSeconds, signal }: RunWait,
): Promise<Row<"runs">> {
  if (waitSeconds <= 0 || signal.aborted) return requireRun(store.db, handle);

  const runId = parseRunId(handle);
  const deadline = performance.now() + Math.min(waitSeconds, longestWaitSeconds) * 1_000;
  const wake = createWake();
  signal.addEventListener("abort", wake.ring);
  const unlisten = await store.listen(runsChannel, (payload) => {
    const notice = parseNotice(payload);
    if (notice?.kind === "ended" && notice.runId === runId) wake.ring();
  });
  try {
    for (;;) {
      const run = await requireRun(store.db, handle);
      const leftMs = deadline - performance.now();
      if (isFinal(run.state) || leftMs <= 0 || signal.aborted || sleepsFor(run, leftMs)) return run;
      // A notification can be lost, so the run is looked at once a second in any case.
      await wake.wait(Math.min(1_000, leftMs));
    }
  } finally {
    signal.removeEventListener("abort", wake.ring);
    await unlisten();
  }
}

function sleepsFor({ state, run_at }: Row<"runs">, ms: number): boolean {
  return state === "suspended" && run_at.getTime() - Date.now() > ms;
}
