import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { Stretch } from "./missed-slots.ts";

export type SkipRequest = Readonly<{
  job: string;
  scheduleKey: string;
  stretch: Stretch;
  outcome: Row<"skipped_slots">["outcome"];
  reason: string;
  now: Date;
}>;

/**
 * Records that slots did not become runs, and why. Where the schedule's latest record says the same and no run came since,
 * that record is extended, so that a job paused for a year has one row and not half a million.
 */
export async function skipSlots(
  db: Db,
  { job, scheduleKey, stretch, outcome, reason, now }: SkipRequest,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const latest = await trx
      .selectFrom("skipped_slots")
      .selectAll()
      .where("job", "=", job)
      .where("schedule_key", "=", scheduleKey)
      .orderBy("slot", "desc")
      .limit(1)
      .executeTakeFirst();
    if (latest !== undefined && latest.last_slot >= stretch.last) return;
    const extend =
      latest !== undefined && latest.outcome === outcome && latest.reason === reason && !(await ranSince(trx, latest));
    if (!extend) {
      await trx
        .insertInto("skipped_slots")
        .values({
          job,
          schedule_key: scheduleKey,
          slot: stretch.first,
          last_slot: stretch.last,
          slots: stretch.slots,
          outcome,
          reason,
          at: now,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return;
    }
    const slots = latest.slots === null || stretch.slots === null ? null : latest.slots + stretch.slots;
    await trx
      .updateTable("skipped_slots")
      .set({ last_slot: stretch.last, slots })
      .where("job", "=", job)
      .where("schedule_key", "=", scheduleKey)
      .where("slot", "=", latest.slot)
      .execute();
  });
}

async function ranSince(trx: Db, record: Row<"skipped_slots">): Promise<boolean> {
  const run = await trx
    .selectFrom("runs")
    .select("id")
    .where("job", "=", record.job)
    .where("schedule_key", "=", record.schedule_key)
    .where("slot", ">", record.last_slot)
    .limit(1)
    .executeTakeFirst();
  return run !== undefined;
}
