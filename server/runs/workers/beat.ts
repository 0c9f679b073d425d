import { sql } from "kysely";
import { inTransaction } from "../../store/in-transaction.ts";
import { newestMigration } from "../../store/migrate.ts";
import { type Db, notify } from "../../store/open-store.ts";
import type { WorkerState } from "../../store/tables.ts";
import { unsynced } from "../../store/unsynced.ts";
import { version } from "../../version.ts";
import { resolveAlert } from "../alerts.ts";
import type { Unserved } from "./needs.ts";
import { lostWorkerAlert } from "./worker-alerts.ts";
import { type WorkerSelf, workersChannel } from "./worker-self.ts";

/** What changes of a worker from one heartbeat to the next. */
export type WorkerNow = Readonly<{
  state: WorkerState;
  running: number;
  problem: string | null;
  unserved: Unserved;
}>;

/**
 * Writes a worker's row, and by the database's clock when. Returns the name of a migration that this program does not know, where
 * a newer one has come meanwhile.
 */
export async function beat(db: Db, self: WorkerSelf, now: WorkerNow): Promise<{ newer: string | undefined }> {
  const { v8, icu = "" } = process.versions;
  const { rows } = await sql<{ newest: string | null; was_lost: boolean | null }>`
    with before as (select lost_at from workers where name = ${self.name})
    insert into workers (name, host, home, pid, version, role, labels, max, running, state, guest_runtimes, v8, icu,
      problem, unserved, started_at, heartbeat_at)
    values (${self.name}, ${self.host}, ${self.home}, ${process.pid}, ${version}, ${self.role},
      ${JSON.stringify(self.labels)}, ${self.max}, ${now.running}, ${now.state}, ${JSON.stringify(self.guestRuntimes)},
      ${v8}, ${icu}, ${now.problem}, ${JSON.stringify(now.unserved)}, now(), now())
    on conflict (name) do update set running = excluded.running, state = excluded.state, problem = excluded.problem,
      unserved = excluded.unserved, heartbeat_at = excluded.heartbeat_at, lost_at = null
    returning (select max(name) from kysely_migration) as newest, (select lost_at is not null from before) as was_lost,
      ${unsynced}`.execute(db);
  const [row] = rows;
  if (row?.was_lost === true) await resolveAlert(db, { key: lostWorkerAlert(self.name) });
  const newest = row?.newest ?? "";
  return { newer: newest > newestMigration ? newest : undefined };
}

/**
 * Puts a worker on record in place of earlier processes of the same host and home, which it holds now, and tells the others. In an
 * embedded store every other one is of the past.
 */
export async function register(db: Db, self: WorkerSelf, now: WorkerNow, alone: boolean): Promise<void> {
  await inTransaction(db, async (trx) => {
    const before = await trx
      .deleteFrom("workers")
      .where("name", "!=", self.name)
      .$if(!alone, (query) => query.where("host", "=", self.host).where("home", "=", self.home))
      .returning("name")
      .execute();
    for (const { name } of before) await resolveAlert(trx, { key: lostWorkerAlert(name) });
    await beat(trx, self, now);
    await notify(trx, workersChannel);
  });
}
