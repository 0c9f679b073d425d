import { mkdirSync } from "node:fs";
import { requireNoUnfinishedRestore } from "../backup/restore-plan.ts";
import type { Config } from "../config.ts";
import { readSecrets, type SecretValues } from "../effects/secret-values.ts";
import type { EffectServices } from "../effects/services.ts";
import type { Log } from "../log.ts";
import { createNotifier } from "../notify/create-notifier.ts";
import { createApprovals, type OwnedApprovals } from "../review/approvals.ts";
import type { WorkerSelf } from "../runs/workers/worker-self.ts";
import { createPool } from "../sandbox/pool.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Store } from "../store/open-store.ts";
import { openStorePatiently } from "./open-store-patiently.ts";
import { rememberStore, requireSameStore } from "./remember-store.ts";
import { stopRevokedRuns } from "./stop-revoked-runs.ts";

/** What a daemon and a worker both stand on. Disposing it closes the store. */
export type Base = AsyncDisposable &
  Readonly<{
    config: Config;
    log: Log;
    clock: () => Date;
    store: Store;
    pool: Pool;
    approvals: OwnedApprovals;
    /** Values of secrets as they stand in the file at the time of the call. */
    secrets: () => SecretValues;
    notify: EffectServices["notify"];
  }>;

/** Opens store, runners and approvals, in this order; waits for a PostgreSQL that does not answer. */
export async function openBase(options: {
  config: Config;
  log: Log;
  signal: AbortSignal;
  onProblem: (problem: string | null) => void;
  role: WorkerSelf["role"];
}): Promise<Base> {
  const { config, log, signal, onProblem, role } = options;
  const { home, databaseUrl, runners } = config;
  await using stack = new AsyncDisposableStack();
  mkdirSync(home.cache, { recursive: true, mode: 0o700 });
  requireNoUnfinishedRestore(home);
  requireSameStore(home, databaseUrl);
  const store = stack.use(await openStorePatiently({ dataDir: home.data, databaseUrl, log }, { signal, onProblem }));
  rememberStore(home, store.kind);
  const pool = stack.use(await createPool({ ...runners, log: log.child({ part: "sandbox" }), cacheDir: home.cache }));
  const approvals = stack.use(await createApprovals({ store, home, log, verifiesOnly: role === "worker" }));
  stack.use(stopRevokedRuns({ store, approvals, log }));
  const owned = stack.move();
  return {
    config,
    log,
    clock: () => new Date(),
    store,
    pool,
    approvals,
    secrets: () => readSecrets(home.env),
    notify: createNotifier(config.notify),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
