import { UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Approvals } from "../review/approvals.ts";
import { cancelRun } from "../runs/cancel-run.ts";
import type { Store } from "../store/open-store.ts";

type Deps = Readonly<{ store: Store; approvals: Approvals; log: Log }>;

/**
 * Follows decisions, of this machine and others, and stops what a revocation no longer covers. In a store that machines share, what
 * this one alone refuses, as where it does not trust a key, is left to those that do not.
 */
export function stopRevokedRuns(deps: Deps): AsyncDisposable {
  const { approvals, log } = deps;
  let work: Promise<void> = Promise.resolve();
  const stopFollowing = approvals.onChange((job) => {
    work = work
      .then(() => cancelUncovered(deps, job))
      .catch((error: unknown) => log.error({ err: error, job }, "revoked runs could not be stopped"));
  });
  return {
    async [Symbol.asyncDispose]() {
      stopFollowing();
      await work;
    },
  };
}

/** Cancels queued runs of a job that has no approval at all, and those that have begun whose own version lost its approval. */
async function cancelUncovered({ store, approvals, log }: Deps, job: string): Promise<void> {
  const { db } = store;
  const covers = async (question: () => Promise<boolean>) => {
    try {
      return await question();
    } catch (error) {
      if (error instanceof UserError) return store.kind === "postgres" && error.code !== "not_approved";
      throw error;
    }
  };
  const runs = await db
    .selectFrom("runs")
    .select(["id", "version", "state"])
    .where("job", "=", job)
    .where("state", "in", ["queued", "running", "suspended", "needs_decision"])
    .execute();
  if (runs.length === 0) return;
  if (store.kind === "postgres" && (await approvals.standing()).strangers.has(job)) return;
  const hasActive = await covers(() => approvals.active(job).then((active) => active !== undefined));
  for (const { id, version, state } of runs) {
    const covered =
      state === "queued" || version === null
        ? hasActive
        : await covers(() => approvals.recheck(job, version).then(() => true));
    if (covered) continue;
    await cancelRun(db, { runId: id, by: "revocation" });
    log.warn({ run: id, job }, "a run was stopped: its approval was revoked");
  }
}
