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

/**
 * The next slots of all active jobs (or of one), earliest first, several of a schedule where it fires often. Only so many slots are
 * computed as are told, whatever the number of schedules.
 */
export async function listComingSlots(
  db: Db,
  { job, limit, now }: Readonly<{ job?: string | undefined; limit: number; now: Date }>,
): Promise<ComingSlot[]> {
  let query = db
    .selectFrom("schedules")
    .innerJoin("jobs", "jobs.name", "schedules.job")
    .selectAll("schedules")
    .where("jobs.state", "=", "active")
    .where("schedules.next_slot", "is not", null)
    .orderBy("schedules.next_slot")
    .orderBy("schedules.job")
    // Each of these has a slot before the first of any other.
    .limit(limit);
  if (job !== undefined) query = query.where("schedules.job", "=", job);
  const rows = await query.execute();
  const heads = rows.flatMap(({ next_slot, spec, ...row }) => {
    const schedule = manifestSchema.shape.schedules.element.parse(JSON.parse(spec));
    return next_slot === null ? [] : [{ row, schedule, words: scheduleInWords(schedule), slot: next_slot }];
  });
  const slots: ComingSlot[] = [];
  while (slots.length < limit && heads.length > 0) {
    const at = heads.reduce((best, head, index) => (isBefore(head, heads[best] ?? head) ? index : best), 0);
    const head = heads[at];
    if (head === undefined) break;
    const { row, schedule, words, slot } = head;
    const { timezone } = schedule;
    const start = startOfSlot(row.job, schedule, slot);
    slots.push({ job: row.job, schedule_key: row.key, version: row.version, slot, start, timezone, words });
    const [next] = nextSlots(schedule, slot > now ? slot : now, 1);
    if (next === undefined) heads.splice(at, 1);
    else head.slot = next;
  }
  return slots.sort((a, b) => a.start.getTime() - b.start.getTime());
}

type Head = Readonly<{ slot: Date; row: Pick<ComingSlot, "job"> }>;

function isBefore(one: Head, other: Head): boolean {
  const [a, b] = [one.slot.getTime(), other.slot.getTime()];
  return a < b || (a === b && one.row.job < other.row.job);
}
