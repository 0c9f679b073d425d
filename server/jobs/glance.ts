import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";

/** The first of several, and how many there are. */
type Some<T> = Readonly<{ first: readonly T[]; count: number }>;

/** What a status tells of all jobs together. */
export type JobsGlance = Readonly<{
  count: number;
  paused: Some<string>;
  /** Versions that wait for the person, of jobs that are not retired. */
  waiting: Some<Readonly<{ job: string; version: number }>>;
  /** The jobs that come next, each with its next slot. */
  next: Some<Readonly<{ job: string; at: Date }>>;
}>;

/** Looks at all jobs by few queries, and names at most `limit` of each kind. */
export async function glanceAtJobs(db: Db, limit: number): Promise<JobsGlance> {
  const { rows: counts } = await sql<{ jobs: number; paused: number; waiting: number; next: number }>`
    select count(*)::integer as jobs, count(*) filter (where state = 'paused')::integer as paused,
      (select count(distinct v.job)::integer from versions v join jobs j on j.name = v.job
        where v.state = 'pending' and j.state <> 'retired') as waiting,
      (select count(distinct s.job)::integer from schedules s join jobs j on j.name = s.job
        where s.next_slot is not null and j.state = 'active') as next
    from jobs`.execute(db);
  const { jobs = 0, paused = 0, waiting = 0, next = 0 } = counts[0] ?? {};
  const { rows: names } = await sql<{ name: string }>`
    select name from jobs where state = 'paused' order by name limit ${limit}`.execute(db);
  const { rows: pending } = await sql<{ job: string; version: number }>`
    select v.job, max(v.number) as version from versions v join jobs j on j.name = v.job
    where v.state = 'pending' and j.state <> 'retired' group by v.job order by v.job limit ${limit}`.execute(db);
  return {
    count: jobs,
    paused: { first: names.map(({ name }) => name), count: paused },
    waiting: { first: pending, count: waiting },
    next: { first: await nextOfJobs(db, limit), count: next },
  };
}

/** Several schedules of a job count once, so that a few more than `limit` may have to be read. */
async function nextOfJobs(db: Db, limit: number): Promise<{ job: string; at: Date }[]> {
  const { rows } = await sql<{ job: string; at: Date }>`
    select job, min(next_slot) as at from (
      select s.job, s.next_slot from schedules s join jobs j on j.name = s.job
      where s.next_slot is not null and j.state = 'active' order by s.next_slot, s.job limit ${limit * 10}) as soon
    group by job order by at, job limit ${limit}`.execute(db);
  return rows;
}
