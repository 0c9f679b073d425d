import { sql } from "kysely";
import type { Log } from "../log.ts";
import type { Db, Store } from "./open-store.ts";

const everyMs = 60_000;
const vacuumEveryMs = 60 * 60_000;
/** Of the write-ahead log, after which a checkpoint lets it go. */
const mostLogBytes = 64 * 1024 * 1024;

/**
 * Does what a PostgreSQL server's own processes do and the embedded one has none of: without checkpoints its write-ahead log grows for
 * as long as the daemon lives, and each start after a kill replays all of it; without vacuum the room of deleted rows is never used again.
 */
export function startEmbeddedUpkeep({ store, log }: Readonly<{ store: Store; log: Log }>): AsyncDisposable {
  let work: Promise<void> = Promise.resolve();
  let vacuumedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;

  async function pass(): Promise<void> {
    try {
      const isHourly = performance.now() - vacuumedAt > vacuumEveryMs;
      if (isHourly) vacuumedAt = performance.now();
      await vacuumTables(store.db, isHourly ? "all" : "grown");
      const bytes = await shortenLog(store.db);
      if (bytes > 0) log.debug({ bytes }, "the write-ahead log was let go");
    } catch (error) {
      log.error({ err: error }, "upkeep of the embedded store failed; it is tried again in a minute");
    }
    if (timer !== undefined) timer = setTimeout(begin, everyMs);
  }
  function begin(): void {
    work = pass();
  }
  if (store.kind === "pglite") timer = setTimeout(begin, everyMs);
  return {
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      timer = undefined;
      await work;
    },
  };
}

/** Makes a checkpoint where the log since the last one is long. Tells how many bytes of it are not needed any more. */
export async function shortenLog(db: Db, most: number = mostLogBytes): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::bigint as bytes from pg_control_checkpoint()`.execute(db);
  const bytes = rows[0]?.bytes ?? 0;
  if (bytes <= most) return 0;
  await sql`checkpoint`.execute(db);
  return bytes;
}

/** Pages below which a table is read whole as quickly as by an index. */
const fewPages = 8;

/**
 * Vacuums and counts one table after the other, so that whoever waits gets a turn in between. `grown` ones are twice as long as when
 * they were counted last: statements go on by the plans that were right for a small table until it is counted anew.
 */
export async function vacuumTables(db: Db, which: "all" | "grown"): Promise<void> {
  const grown = sql`pg_relation_size(oid) / current_setting('block_size')::bigint > 2 * greatest(relpages, ${fewPages})`;
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relkind = 'r' and relnamespace = current_schema()::regnamespace and ${which === "all" ? sql`true` : grown}
    order by 1`.execute(db);
  for (const { name } of rows) await sql`vacuum (analyze) ${sql.table(name)}`.execute(db);
}
