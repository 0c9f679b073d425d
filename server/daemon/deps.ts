import type { Config } from "../config.ts";
import type { SecretValues } from "../effects/secret-values.ts";
import type { Log } from "../log.ts";
import type { DiffBehaviour } from "../rehearsal/behaviour-report.ts";
import type { Rehearse } from "../rehearsal/create-rehearse.ts";
import type { Approvals } from "../review/approvals.ts";
import type { FailingTarget } from "../runs/alerts/failing-targets.ts";
import type { Worker } from "../runs/worker.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Store } from "../store/open-store.ts";

/** What every sub-app of the person's door and every part of the daemon works with; made once, when the store is open. */
export type DaemonDeps = Readonly<{
  store: Store;
  config: Config;
  pool: Pool;
  approvals: Approvals;
  rehearse: Rehearse;
  diffBehaviour: DiffBehaviour;
  log: Log;
  clock: () => Date;
  /** Tells the worker that a run may be waiting. */
  nudge: () => void;
  /** Puts a run into the queue; where it can start here at once, it does. */
  enqueue: Worker["enqueue"];
  /** Values of secrets as they stand in the file at the time of the call. */
  secrets: () => SecretValues;
  /** Targets that take no alerts from this machine. */
  failingTargets: () => readonly FailingTarget[];
}>;
