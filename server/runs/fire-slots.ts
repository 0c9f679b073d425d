import { randomUUID } from "node:crypto";
import { messageOf } from "../errors.ts";
import type { FrozenSchedule } from "../jobs/manifest.ts";
import { nextSlots } from "../jobs/schedule-words.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { raiseAlert, resolveAlert } from "./alerts.ts";
import { cancelRun } from "./cancel-run.ts";
import { startOfSlot } from "./jitter.ts";
import { missedAlertKey, missedSlotsAlert } from "./missed-alert.ts";
import { planCatchUp, type Stretch, stretch } from "./missed-slots.ts";
import { enqueue } from "./queue/enqueue.ts";
import { formatRunId } from "./run-id.ts";
import { skipSlots } from "./skip-slots.ts";
import { parseSchedule, removeSchedules, scheduleAlertKey } from "./sync-schedules.ts";

/** A slot that is met within this time is on time; an older one goes through the schedule's `catchUp`. */
export const onTimeMs = 10_000;

type DueSchedule = Row<"schedules"> & Pick<Row<"jobs">, "paused_by"> & { job_state: Row<"jobs">["state"] };

/**
 * Gives every slot that is due at `now` its outcome: a run, or a record why there is none. Any number of schedulers may call
 * it at the same time. Returns the runs that it made.
 */
export async function fireDueSlots(db: Db, now: Date): Promise<Row<"runs">[]> {
  const made: Row<"runs">[] = [];
  for (;;) {
    // Small transactions: runs of the first schedules start while the later ones are still being written.
    const batch = await inTransaction(db, async (trx) => {
      const due = await lockDue(trx, now);
      const runs: Row<"runs">[] = [];
      for (const schedule of due) runs.push(...(await fire(trx, schedule, now)));
      return { due: due.length, runs };
    });
    made.push(...batch.runs);
    if (batch.due === 0) return made;
  }
}

/** When the next slot of any schedule is due; undefined where there is none. */
export async function findNextSlot(db: Db): Promise<Date | undefined> {
  const row = await db
    .selectFrom("schedules")
    .select("next_slot")
    .where("next_slot", "is not", null)
    .orderBy("next_slot")
    .limit(1)
    .executeTakeFirst();
  return row?.next_slot ?? undefined;
}

function lockDue(trx: Db, now: Date): Promise<DueSchedule[]> {
  return trx
    .selectFrom("schedules")
    .innerJoin("jobs", "jobs.name", "schedules.job")
    .selectAll("schedules")
    .select(["jobs.state as job_state", "jobs.paused_by"])
    .where("next_slot", "<=", now)
    .orderBy("next_slot")
    .orderBy("schedules.job")
    .limit(20)
    .forUpdate("schedules")
    .skipLocked()
    .execute();
}

async function fire(trx: Db, row: DueSchedule, now: Date): Promise<Row<"runs">[]> {
  const slot = row.next_slot;
  if (slot === null) return [];
  const spec = await readSpec(trx, row, now);
  if (spec === undefined) return [];
  const skip = (slots: Stretch, outcome: "skipped" | "missed", reason: string) =>
    skipSlots(trx, { job: row.job, scheduleKey: row.key, stretch: slots, outcome, reason, now });

  if (row.job_state === "retired") {
    await removeSchedules(trx, row.job, { reason: "the job was retired", now });
    return [];
  }
  if (row.job_state === "paused") {
    await skip(stretch(spec, slot, now), "skipped", `the job was paused (${row.paused_by ?? "unknown"})`);
    await advance(trx, row, spec, now);
    return [];
  }
  if (now.getTime() - slot.getTime() <= onTimeMs) {
    await advance(trx, row, spec, slot);
    const mayOverlap = spec.overlap === "allow" || spec.overlap === "queue";
    const [blocker, ...others] = mayOverlap ? [] : await liveRuns(trx, row.job);
    if (blocker !== undefined && spec.overlap === "skip") {
      await skip({ first: slot, last: slot, slots: 1 }, "skipped", `${formatRunId(blocker)} had not ended`);
      return [];
    }
    for (const runId of blocker === undefined ? [] : [blocker, ...others]) {
      await cancelRun(trx, { runId, by: "schedule", now });
    }
    await resolveAlert(trx, { key: missedAlertKey(row.job), now });
    return makeRun(trx, row, spec, slot, now);
  }
  const plan = planCatchUp(spec, slot, now);
  if (plan.missed !== null) {
    const reason = `no daemon was running (catchUp: ${spec.catchUp})`;
    await skip(plan.missed, "missed", reason);
    await raiseAlert(trx, { ...missedSlotsAlert(row.job, plan.missed, { reason, timezone: spec.timezone }), now });
  }
  await advance(trx, row, spec, now);
  const runs: Row<"runs">[] = [];
  // Made-up slots wait for one another whatever `overlap` says: with `skip` only the first of them would ever run.
  for (const late of plan.run) runs.push(...(await makeRun(trx, row, spec, late, now)));
  return runs;
}

async function advance(trx: Db, row: DueSchedule, spec: FrozenSchedule, past: Date): Promise<void> {
  const [next] = nextSlots(spec, past, 1);
  await trx
    .updateTable("schedules")
    .set({ next_slot: next ?? null })
    .where("job", "=", row.job)
    .where("key", "=", row.key)
    .execute();
}

async function makeRun(trx: Db, row: DueSchedule, spec: FrozenSchedule, slot: Date, now: Date): Promise<Row<"runs">[]> {
  const late = now.getTime() - slot.getTime() > onTimeMs;
  const jittered = startOfSlot(row.job, spec, slot);
  const start = late && jittered < now ? now : jittered;
  const { run, created } = await enqueue(trx, {
    job: row.job,
    trigger: "schedule",
    scheduleKey: row.key,
    slot,
    concurrency: spec.overlap === "allow" ? null : 1,
    runAt: start > now ? start : undefined,
    priority: row.priority,
    // Counted from when it may start, which for a slot that is made up for is now at the earliest.
    startBy: spec.startDeadlineMs === null ? undefined : new Date(start.getTime() + spec.startDeadlineMs),
    requestedBy: "schedule",
    traceId: randomUUID(),
  });
  return created ? [run] : [];
}

/** A row that this release cannot read must not hold up all the others: it stops, loudly. */
async function readSpec(trx: Db, row: DueSchedule, now: Date): Promise<FrozenSchedule | undefined> {
  try {
    const spec = parseSchedule(row.spec);
    nextSlots(spec, now, 1);
    return spec;
  } catch (thrown) {
    await trx
      .updateTable("schedules")
      .set({ next_slot: null })
      .where("job", "=", row.job)
      .where("key", "=", row.key)
      .execute();
    const message = `schedule ${row.key} of ${row.job} cannot be read and has stopped: ${messageOf(thrown)}`;
    await raiseAlert(trx, { key: scheduleAlertKey(row), message, now });
    return undefined;
  }
}

/** Two plain queries, since each has a partial index that holds live runs only. */
async function liveRuns(trx: Db, job: string): Promise<number[]> {
  const rows = await trx
    .selectFrom("runs")
    .select("id")
    .where("job", "=", job)
    .where("state", "in", ["running", "suspended"])
    .unionAll(trx.selectFrom("runs").select("id").where("job", "=", job).where("state", "=", "queued"))
    .orderBy("id")
    .execute();
  return rows.map((row) => row.id);
}
