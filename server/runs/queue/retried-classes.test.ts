import { expect, test } from "vitest";
import { addAttempt, addJob } from "../../../tests/support/runs.ts";
import { storeKinds, testStore } from "../../../tests/support/store.ts";
import type { AttemptOutcome } from "../attempt-outcome.ts";
import type { RunError } from "../run-error.ts";
import { claim } from "./claim.ts";
import { enqueue } from "./enqueue.ts";
import { settle } from "./settle.ts";

type State = Exclude<AttemptOutcome["state"], "succeeded">;
const retry = { attempts: 2, backoff: "fixed", delayMs: 1_000, maxDelayMs: 1_000 } as const;

const cases: [State, RunError["reason"], RunError["class"], boolean][] = [
  ["failed", "fetch_failed", "transient", true],
  ["failed", "threw", "transient", true],
  ["crashed", "crashed", "transient", true],
  ["timed_out", "timeout", "timeout", true],
  ["timed_out", "cpu", "timeout", true],
  ["out_of_memory", "memory", "memory", true],
  ["failed", "threw", "permanent", false],
  ["failed", "call_refused", "permanent", false],
  ["failed", "input", "permanent", false],
  ["failed", "limit", "permanent", false],
  ["failed", "permission_denied", "policy", false],
  ["failed", "nondeterminism", "nondeterminism", false],
  ["denied", "not_approved", "policy", false],
  ["denied", "approval_invalid", "policy", false],
  ["cancelled", "cancelled", "permanent", false],
];

test.each(storeKinds)("each class of failure is tried again, or never (%s)", async (kind) => {
  await using store = await testStore(kind);
  const { db } = store;
  await addJob(db, "a");
  for (const [state, reason, kindOf, again] of cases) {
    for (const attempts of [2, 1]) {
      const order = { job: "a", trigger: "host", requestedBy: "x", traceId: "t", concurrency: null } as const;
      const { run } = await enqueue(db, order);
      const { runs } = await claim(db, { worker: "w", limit: 1 });
      expect(runs.map(({ id }) => id)).toEqual([run.id]);
      await addAttempt(db, { ...run, attempt: 1, lease_owner: "w" }, 1);
      const ended = await settle(db, {
        runId: run.id,
        attempt: 1,
        lease: 1,
        outcome: { state, output: null, error: { reason, class: kindOf, message: "no" } },
        retry: { ...retry, attempts },
      });
      const what = `${state} ${reason} ${kindOf}, ${attempts} attempts`;
      expect(ended?.state, what).toBe(again && attempts === 2 ? "queued" : state);
      // Out of the way of the next case.
      await db.deleteFrom("runs").execute();
    }
  }
});
