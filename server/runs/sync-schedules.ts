import { canonicalJson } from "../canonical-json.ts";
import { type FrozenSchedule, type Manifest, manifestSchema } from "../jobs/manifest.ts";
import { nextSlots } from "../jobs/schedule-words.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { dismissAlerts, resolveAlert } from "./alerts.ts";
import { cancelRun } from "./cancel-run.ts";
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
  manifest: Pick<Manifest, "schedules" | "priority">,
  now: Date,
): Promise<void> {
  const { priority } = manifest;
  await inTransaction(db, async (trx) => {
    const rows = await trx.selectFrom("schedules").selectAll().where("job", "=", job).forUpdate().execute();
    for (const row of rows) {
      const wanted = manifest.schedules.find((schedule) => schedule.key === row.key);
      if (wanted !== undefined && isSame(wanted, row.spec)) continue;
      const reason = wanted === undefined ? `v${version} has no such schedule` : `v${version} changed the schedule`;
      await skipDue(trx, row, reason, now);
      await cancelJittered(trx, row, reason, now);
      await trx.deleteFrom("schedules").where("job", "=", job).where("key", "=", row.key).execute();
      await resolveAlert(trx, { key: scheduleAlertKey(row), now });
    }
    // Nobody waits for the next slot that is met.
    if (manifest.schedules.length === 0) await dismissAlerts(trx, { job, kind: "missed" });
    for (const schedule of manifest.schedules) {
      const [next] = nextSlots(schedule, now, 1);
      await trx
        .insertInto("schedules")
        .values({ job, key: schedule.key, version, spec: canonicalJson(schedule), next_slot: next ?? null, priority })
        .onConflict((conflict) => conflict.columns(["job", "key"]).doUpdateSet({ version, priority }))
        .execute();
    }
  });
}

/** The alert of a schedule that cannot be read. */
export function scheduleAlertKey({ job, key }: Pick<Row<"schedules">, "job" | "key">): string {
  return `job:${job}:schedule:${key}`;
}

/** A job without an active version has no slots; one that was due already is recorded as skipped. */
export async function removeSchedules(
  db: Db,
  job: string,
  { reason, now }: Readonly<{ reason: string; now: Date }>,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const rows = await trx.selectFrom("schedules").selectAll().where("job", "=", job).forUpdate().execute();
    for (const row of rows) await skipDue(trx, row, reason, now);
    await trx.deleteFrom("schedules").where("job", "=", job).execute();
    await dismissAlerts(trx, { job, kind: "missed" });
    await dismissAlerts(trx, { job, kind: "schedule" });
  });
}

async function skipDue(trx: Db, { job, key, spec, next_slot }: Row<"schedules">, reason: string, now: Date) {
  if (next_slot === null || next_slot > now) return;
  const read = findSchedule(spec);
  const due = read === undefined ? { first: next_slot, last: next_slot, slots: null } : stretch(read, next_slot, now);
  await skipSlots(trx, { job, scheduleKey: key, stretch: due, outcome: "skipped", reason, now });
}

/** Runs of slots that have passed and that only jitter still holds back: their schedule is no more. */
async function cancelJittered(trx: Db, { job, key }: Row<"schedules">, reason: string, now: Date): Promise<void> {
  const waiting = await trx
    .selectFrom("runs")
    .select("id")
    .where("job", "=", job)
    .where("schedule_key", "=", key)
    .where("state", "=", "queued")
    .where("attempt", "=", 0)
    .where("run_at", ">", now)
    .execute();
  for (const { id } of waiting) await cancelRun(trx, { runId: id, by: `schedule: ${reason}`, now });
}

/** What a former release wrote has not changed for want of what has a default now. */
function isSame(wanted: FrozenSchedule, spec: string): boolean {
  const read = findSchedule(spec);
  return read !== undefined && canonicalJson(wanted) === canonicalJson(read);
}

/** Undefined where this release cannot read it. */
function findSchedule(spec: string): FrozenSchedule | undefined {
  try {
    return parseSchedule(spec);
  } catch {
    return undefined;
  }
}

/** The FrozenSchedule in the `spec` column. */
export function parseSchedule(spec: string): FrozenSchedule {
  return manifestSchema.shape.schedules.element.parse(JSON.parse(spec));
}
