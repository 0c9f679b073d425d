import { sendNotice } from "../runs/run-notices.ts";
import { wakeParent } from "../runs/wake-parent.ts";
import type { Db } from "../store/open-store.ts";

/** Lets the run of a job go on that waits for an agent which has ended. */
export async function wakeWaitingRun(db: Db, parentRun: number | null): Promise<void> {
  if (parentRun === null) return;
  await wakeParent(db, { parent_run: parentRun });
  await sendNotice(db, { kind: "queued" });
}
