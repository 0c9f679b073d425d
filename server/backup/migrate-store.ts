import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import type { Log } from "../log.ts";
import { releaseRuns } from "../runs/hold-restored-runs.ts";
import { dumpStore, type StoreSummary } from "../store/dump-store.ts";
import { createLoader, difference } from "../store/load-store.ts";
import { openStore, type Store } from "../store/open-store.ts";
import {
  findStore,
  openStagedStore,
  openStoreAsIs,
  requireNoWorkers,
  requireStore,
  type StorePlace,
  useStagedStore,
} from "../store/staged-store.ts";

export type MovedStore = Readonly<{
  summary: StoreSummary;
  /** Where the old one is kept. */
  old: string;
}>;

/**
 * Copies everything into the other kind of store and compares it, row by row, before this home takes it for its own; the old one is
 * kept. `onCopied` makes the home take it. Cut off anywhere, it can be run again. The caller holds the home's lock. Throws `store_not_empty`, `daemon_running`.
 */
export async function migrateStore(
  { home, log, onCopied }: Readonly<{ home: Home; log: Log; onCopied: (kind: Store["kind"]) => void }>,
  from: StorePlace,
  to: StorePlace,
): Promise<MovedStore> {
  for (const place of [from, to]) await requireNoWorkers(place);
  const stamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const aside = join(home.root, `moved-${stamp}`);
  const summary = await copyInto(to, await openSource(from, log), { log, aside });
  onCopied(to.databaseUrl === null ? "pglite" : "postgres");
  if (from.databaseUrl !== null) return { summary, old: (await findStore(from)) ?? "" };
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  const old = join(aside, "data");
  if (existsSync(from.dataDir)) renameSync(from.dataDir, old);
  return { summary, old };
}

/** Of the newest shape, so that the copy is that, too. */
async function openSource(from: StorePlace, log: Log): Promise<Store> {
  await requireStore(from);
  return openStore({ ...from, log });
}

async function copyInto(
  to: StorePlace,
  opened: Store,
  { log, aside }: Readonly<{ log: Log; aside: string }>,
): Promise<StoreSummary> {
  await using source = opened;
  // No worker has any: what is found running was cut off.
  await releaseRuns(source.db);
  const there = await findStore(to);
  if (there !== undefined) return await requireSameRows(there, source, await openStoreAsIs(to, log));
  let summary: StoreSummary;
  {
    await using target = await openStagedStore(to, { log });
    const loader = await createLoader(target.db);
    summary = await dumpStore(source.db, loader.load);
    await loader.finish(summary);
  }
  await useStagedStore(to, aside);
  return summary;
}

/** A copy that was cut off after its last row is taken as it is. */
async function requireSameRows(there: string, source: Store, opened: Store): Promise<StoreSummary> {
  await using target = opened;
  const summary = await dumpStore(source.db, async () => {});
  const problem = difference(summary, await dumpStore(target.db, async () => {}));
  if (problem === undefined) return summary;
  throw new UserError(
    "store_not_empty",
    `There is a store already: ${there}. It is not a copy of this one: ${problem}.`,
    {
      next: "name an empty database, or move that store away yourself",
    },
  );
}
