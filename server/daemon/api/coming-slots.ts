import { manifestSchema } from "../../jobs/manifest.ts";
import { nextSlots, scheduleInWords } from "../../jobs/schedule-words.ts";
import { startOfSlot } from "../../runs/jitter.ts";
import type { Db } from "../../store/open-store.ts";

/** One slot that is to come. */
export type ComingSlot = Readonly<{
  job: string;
  schedule_key: string;
  version: number;
  slot: Date;
  /** When its run starts: later than the slot by the schedule's jitter. */
  start: Date;
  /** The zone that the schedule is written in. */
  timezone: string;
  words: string;
}>;

/** The next slots of all active jobs (or of one), earliest first, several of a schedule where it fires often. */
export async function listComingSlots(
  db: Db,
  { job, limit, now }: Readonly<{ job?: string | undefined; limit: number; now: Date }>,
): Promise<ComingSlot[]> {
  let query = db
    .selectFrom("schedules")
    .innerJoin("jobs", "jobs.name", "schedules.job")
    .selectAll("schedules")
    .where("jobs.state", "=", "active")
    .where("schedules.next_slot", "is not", null);
  if (job !== undefined) query = query.where("schedules.job", "=", job);
  const rows = await query.execute();
  const slots = rows.flatMap(({ job, key, version, spec, next_slot }) => {
    if (next_slot === null) return [];
    const schedule = manifestSchema.shape.schedules.element.parse(JSON.parse(spec));
    const { timezone } = schedule;
    const later = nextSlots(schedule, next_slot > now ? next_slot : now, limit - 1);
    const words = scheduleInWords(schedule);
    return [next_slot, ...later].map((slot) => {
      const start = startOfSlot(job, schedule, slot);
      return { job, schedule_key: key, version, slot, start, timezone, words };
    });
  });
  return slots.sort((a, b) => a.start.getTime() - b.start.getTime() || (a.job < b.job ? -1 : 1)).slice(0, limit);
}
