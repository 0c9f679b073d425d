import { sql } from "kysely";
import { UserError } from "../../errors.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import { type Db, notify } from "../../store/open-store.ts";
import { resolveAlert } from "../alerts.ts";
import { lostWorkerAlert } from "./worker-alerts.ts";
import { workersChannel } from "./worker-self.ts";

/** For so many days the others expect a worker back: one that has ended in order, and one that was lost. */
const keptDays = { ended: 1, lost: 7 } as const;

/**
 * Forgets a worker that is gone, so that nobody waits for it any more. Throws worker_not_found, and invalid_argument where it lives:
 * it would be back with its next heartbeat.
 */
export async function removeWorker(db: Db, name: string): Promise<void> {
  const worker = await db.selectFrom("workers").select("state").where("name", "=", name).executeTakeFirst();
  if (worker === undefined) {
    throw new UserError("worker_not_found", `There is no worker "${name}".`, { next: "jr workers" });
  }
  if (worker.state !== "gone") {
    throw new UserError(
      "invalid_argument",
      `Worker ${name} is ${worker.state}; only one that is gone can be removed.`,
      {
        next: "stop it on its machine: jr stop",
      },
    );
  }
  await forget(db, [name]);
}

/** Forgets workers that have been gone for long; tells how many. */
export async function forgetOldWorkers(db: Db): Promise<number> {
  const { rows } = await sql<{ name: string }>`
    select name from workers where state = 'gone' and heartbeat_at < now() - case when lost_at is null
      then ${keptDays.ended}::integer else ${keptDays.lost}::integer end * interval '1 day'`.execute(db);
  return forget(
    db,
    rows.map(({ name }) => name),
  );
}

function forget(db: Db, names: readonly string[]): Promise<number> {
  if (names.length === 0) return Promise.resolve(0);
  return inTransaction(db, async (trx) => {
    const gone = await trx
      .deleteFrom("workers")
      .where("name", "in", names)
      .where("state", "=", "gone")
      .returning("name")
      .execute();
    for (const { name } of gone) await resolveAlert(trx, { key: lostWorkerAlert(name) });
    await notify(trx, workersChannel);
    return gone.length;
  });
}
