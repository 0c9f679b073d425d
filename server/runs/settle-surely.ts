import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { findRetryPolicy } from "./queue/retry-policy.ts";
import { type Settlement, settle } from "./queue/settle.ts";

/**
 * Writes how an attempt ended, and keeps trying while the database is away: nobody else can take the run over in that time
 * either. A settlement that the database refuses becomes `crashed`. Gives up when `signal` aborts; the lease then runs out.
 */
export async function settleSurely(
  deps: Readonly<{ store: Store; log: Log }>,
  run: Row<"runs">,
  outcome: Settlement,
  signal: AbortSignal,
): Promise<void> {
  const { store, log } = deps;
  let wanted = outcome;
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const retry = wanted.state === "succeeded" ? null : await findRetryPolicy(store.db, run);
      const settled = await settle(store.db, {
        runId: run.id,
        attempt: run.attempt,
        lease: run.lease,
        outcome: wanted,
        retry,
        run,
      });
      if (settled === undefined) log.warn({ run: run.id, lease: run.lease }, "the lease was lost; result dropped");
      else if (failures > 0) log.info({ run: run.id }, "the result is written now");
      return;
    } catch (thrown) {
      if (failures === 0) log.error({ err: thrown, run: run.id }, "a run's result could not be written; trying again");
      if (isRefused(thrown)) wanted = refused(wanted, messageOf(thrown));
      await sleep(Math.min(100 * 2 ** failures, 2_000), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** SQLSTATE classes 22 (data), 23 (constraint) and 42 (statement): the same write will be refused again. */
function isRefused(thrown: unknown): boolean {
  return (
    thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" && /^(22|23|42)/.test(thrown.code)
  );
}

function refused(outcome: Settlement, why: string): Settlement {
  const error = {
    reason: "crashed",
    class: "permanent",
    message: `the result (${outcome.state}) was refused: ${why}`,
  } as const;
  return { state: "crashed", output: null, error };
}
