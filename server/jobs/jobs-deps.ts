import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import type { Approvals } from "../review/approvals.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Store } from "../store/open-store.ts";

/** What submitting, reading and watching jobs work with; made once by the daemon. */
export type JobsDeps = Readonly<{
  store: Store;
  config: Pick<Config, "jobsFolder" | "timezone" | "locale">;
  pool: Pick<Pool, "declaration" | "guestRuntime">;
  approvals: Approvals;
  log: Log;
  clock: () => Date;
}>;
