import { type RawBuilder, sql } from "kysely";
import { databaseTime } from "../../store/database-time.ts";
import type { NewRun } from "./enqueue.ts";

/** The columns that a request fills in, in the order of `runValues`. */
export const runColumns: RawBuilder<unknown> = sql`job, trigger, schedule_key, slot, input, dedupe_key, priority, concurrency,
  start_by, run_at, parent_run, redrive_of, requested_by, trace_id, created_at`;

/** What a request puts into the columns of its run, as a list of SQL expressions. */
export function runValues(request: NewRun): RawBuilder<unknown> {
  const at = databaseTime(request.now);
  const runAt = request.runAt === undefined ? later(at, request.delayMs ?? 0) : sql`${request.runAt}::timestamptz`;
  return sql`${request.job}::text, ${request.trigger}::text, ${request.scheduleKey ?? null}::text,
    ${request.slot ?? null}::timestamptz, ${request.input ?? null}::text, ${request.dedupeKey ?? null}::text,
    ${request.priority ?? 0}::integer, ${concurrencyOf(request)}::integer, ${request.startBy ?? null}::timestamptz, ${runAt},
    ${request.parentRun ?? null}::bigint, ${request.redriveOf ?? null}::bigint, ${request.requestedBy}::text,
    ${request.traceId}::text, ${at}`;
}

/** Most live runs of the job when this one starts. */
export function concurrencyOf({ concurrency }: NewRun): number | null {
  return concurrency === undefined ? 1 : concurrency;
}

function later(at: RawBuilder<Date>, ms: number): RawBuilder<Date> {
  return ms === 0 ? at : sql<Date>`${at} + ${ms}::double precision * interval '1 millisecond'`;
}
