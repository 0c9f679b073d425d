import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import type { DiffBehaviour } from "../rehearsal/behaviour-report.ts";
import type { Rehearse } from "../rehearsal/create-rehearse.ts";
import type { Approvals } from "../review/approvals.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Store } from "../store/open-store.ts";

/** What submitting, reading and watching jobs work with; made once by the daemon. */
export type JobsDeps = Readonly<{
  store: Store;
  config: Pick<Config, "jobsFolder" | "timezone" | "locale">;
  pool: Pick<Pool, "declaration" | "guestRuntime">;
  approvals: Approvals;
  /** Left out, nothing is rehearsed when it is submitted. */
  rehearse?: Rehearse | undefined;
  /** Left out, reviews do not compare what versions would have done. */
  diffBehaviour?: DiffBehaviour | undefined;
  log: Log;
  clock: () => Date;
}>;
