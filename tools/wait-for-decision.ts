import { createWake } from "../server/runs/wake.ts";
import type { ToolContext } from "./tool-context.ts";

/** Waits until a pending version is pending no more; returns when the time is up, too. Aborting the signal ends the wait. */
export async function waitForDecision(
  { store, approvals, signal }: Pick<ToolContext, "store" | "approvals" | "signal">,
  { job, version, waitSeconds }: { job: string; version: number; waitSeconds: number },
): Promise<void> {
  const deadline = performance.now() + waitSeconds * 1_000;
  const wake = createWake();
  signal.addEventListener("abort", wake.ring);
  const stop = approvals.onChange((changed) => {
    if (changed === job) wake.ring();
  });
  try {
    for (;;) {
      const row = await store.db
        .selectFrom("versions")
        .select("state")
        .where("job", "=", job)
        .where("number", "=", version)
        .executeTakeFirst();
      const leftMs = deadline - performance.now();
      if (row?.state !== "pending" || leftMs <= 0 || signal.aborted) return;
      // A rejection is no signed decision and rings no bell, so the row is looked at once a second in any case.
      await wake.wait(Math.min(1_000, leftMs));
    }
  } finally {
    stop();
    signal.removeEventListener("abort", wake.ring);
  }
}
