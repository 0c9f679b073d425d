import { canonicalJson } from "../canonical-json.ts";
import { type FrozenSchedule, type Manifest, manifestSchema } from "../jobs/manifest.ts";
import { nextSlots } from "../jobs/schedule-words.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { dismissAlerts, resolveAlert } from "./alerts.ts";
import { inTransaction } from "./in-transaction.ts";
import { stretch } from "./missed-slots.ts";
import { skipSlots } from "./skip-slots.ts";

/**
 * Makes the job's rows in `schedules` those of the version that is active. A schedule that did not change keeps its
 * `next_slot`; a new or changed one starts after `now`, and a slot that was due under the old one is recorded as skipped.
 */
export async function syncSchedules(
  db: Db,
  job: string,
  version: number,
  manifest: Pick<Manifest, "schedules">,
  now: Date,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const rows = await trx.selectFrom("schedules").selectAll().where("job", "=", job).forUpdate().execute();
    for (const row of rows) {
      const wanted = manifest.schedules.find((schedule) => schedule.key === row.key);
      if (wanted !== undefined && canonicalJson(wanted) === row.spec) continue;
      if (row.next_slot !== null && row.next_slot <= now) {
        const reason = wanted === undefined ? `v${version} has no such schedule` : `v${version} changed the schedule`;
        const due = stretch(parseSchedule(row.spec), row.next_slot, now);
        await skipSlots(trx, { job, scheduleKey: row.key, stretch: due, outcome: "skipped", reason, now });
      }
      await trx.deleteFrom("schedules").where("job", "=", job).where("key", "=", row.key).execute();
      await resolveAlert(trx, { key: scheduleAlertKey(row), now });
    }
    // Nobody waits for the next slot that is met.
    if (manifest.schedules.length === 0) await dismissAlerts(trx, { job, kind: "missed" });
    for (const schedule of manifest.schedules) {
      const [next] = nextSlots(schedule, now, 1);
      await trx
        .insertInto("schedules")
        .values({ job, key: schedule.key, version, spec: canonicalJson(schedule), next_slot: next ?? null })
        .onConflict((conflict) => conflict.columns(["job", "key"]).doUpdateSet({ version }))
        .execute();
    }
  });
}

/** The alert of a schedule that cannot be read. */
export function scheduleAlertKey({ job, key }: Pick<Row<"schedules">, "job" | "key">): string {
  return `job:${job}:schedule:${key}`;
}

/** A job without an active version has no slots. */
export async function removeSchedules(db: Db, job: string): Promise<void> {
  await db.deleteFrom("schedules").where("job", "=", job).execute();
  await dismissAlerts(db, { job, kind: "missed" });
  await dismissAlerts(db, { job, kind: "schedule" });
}

/** The FrozenSchedule in the `spec` column. */
export function parseSchedule(spec: string): FrozenSchedule {
  return manifestSchema.shape.schedules.element.parse(JSON.parse(spec));
}
