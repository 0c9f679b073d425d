import type { AwaitedRun } from "../effects/services.ts";
import { UserError } from "../errors.ts";
import type { Store } from "../store/open-store.ts";
import { requireRun } from "./read.ts";
import { readRunError } from "./run-error.ts";
import { formatRunId } from "./run-id.ts";
import { parseNotice, runsChannel } from "./run-notices.ts";
import { createWake } from "./wake.ts";

/** A notification can be lost, so the run is looked at this often in any case. */
const lookMs = 1_000;

/** How a run ended that `parent` started, once it has. Throws run_not_found for any other run. */
export async function awaitChild(
  { store }: Readonly<{ store: Store }>,
  { handle, parent }: Readonly<{ handle: string; parent: number }>,
  signal: AbortSignal,
): Promise<AwaitedRun> {
  const wake = createWake();
  signal.addEventListener("abort", wake.ring);
  const unlisten = await store.listen(runsChannel, (payload) => {
    if (parseNotice(payload)?.kind === "ended") wake.ring();
  });
  try {
    for (;;) {
      signal.throwIfAborted();
      const run = await requireRun(store.db, handle);
      if (run.parent_run !== parent) {
        throw new UserError("run_not_found", `${formatRunId(run.id)} was not started by this run.`);
      }
      if (run.finished_at !== null) {
        const error = readRunError(run.error);
        return {
          run: formatRunId(run.id),
          state: run.state,
          output: run.output === null ? null : JSON.parse(run.output),
          error: error === null ? null : { reason: error.reason, message: error.message },
        };
      }
      await wake.wait(lookMs);
    }
  } finally {
    signal.removeEventListener("abort", wake.ring);
    await unlisten();
  }
}
