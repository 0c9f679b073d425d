import { sql } from "kysely";
import { inTransaction } from "../../store/in-transaction.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row, RunTrigger } from "../../store/tables.ts";
import { formatNotice, runsChannel } from "../run-notices.ts";
import { runColumns, runValues } from "./run-values.ts";

export type NewRun = Readonly<{
  job: string;
  trigger: RunTrigger;
  scheduleKey?: string | undefined;
  /** The scheduled instant that the run is for. One run exists per job, schedule and slot. */
  slot?: Date | undefined;
  /** JSON text, checked already. */
  input?: string | null | undefined;
  /** One run exists per job and key, for as long as its record is kept. */
  dedupeKey?: string | undefined;
  /** Not before this time; at once by default. */
  runAt?: Date | undefined;
  /** Not before so much time has passed; instead of `runAt`. */
  delayMs?: number | undefined;
  /** Higher goes first; 0 by default. */
  priority?: number | undefined;
  /** Most live runs of the job when this one starts, itself included; null for no limit, 1 by default. */
  concurrency?: number | null | undefined;
  /** Given up if it has not started by then. */
  startBy?: Date | undefined;
  /** The run that asks for it. */
  parentRun?: number | undefined;
  /** JSON of the RunEvent that starts it. */
  event?: string | undefined;
  /** The dead letter that it repeats. */
  redriveOf?: number | undefined;
  requestedBy: string;
  traceId: string;
  /** Stands for the database's clock. */
  now?: Date | undefined;
}>;

export type Enqueued = Readonly<{ run: Row<"runs">; created: boolean }>;

/** Puts a run into the queue. Where its dedupe key or slot is taken already, that run comes back with `created: false`. */
export async function enqueue(db: Db, request: NewRun): Promise<Enqueued> {
  const { event } = request;
  if (event === undefined) return insertRun(db, request);
  return inTransaction(db, async (trx) => {
    const enqueued = await insertRun(trx, request);
    if (enqueued.created) await trx.insertInto("run_events").values({ run_id: enqueued.run.id, event }).execute();
    return enqueued;
  });
}

async function insertRun(db: Db, request: NewRun): Promise<Enqueued> {
  // A second round is needed only where retention deletes the existing run between the two statements.
  for (let round = 0; round < 3; round++) {
    // One statement, so that the notification stands or falls with the row and an enqueue is one round trip.
    const { rows } = await sql<Row<"runs">>`
      with made as (
        insert into runs (state, ${runColumns}) select 'queued', ${runValues(request)} on conflict do nothing returning *
      ), told as (
        select pg_notify(${runsChannel}, ${formatNotice({ kind: "queued" })}) from made
      )
      select made.* from made left join told on true`.execute(db);
    const [run] = rows;
    if (run !== undefined) return { run, created: true };
    const existing = await findExisting(db, request);
    if (existing !== undefined) return { run: existing, created: false };
  }
  throw new Error(`could neither insert nor find the run of job ${request.job}`);
}

/** The run that has the request's dedupe key or slot already. */
export function findExisting(db: Db, { job, slot, scheduleKey, dedupeKey }: NewRun): Promise<Row<"runs"> | undefined> {
  return db
    .selectFrom("runs")
    .selectAll()
    .where("job", "=", job)
    .where((eb) =>
      eb.or([
        ...(dedupeKey === undefined ? [] : [eb("dedupe_key", "=", dedupeKey)]),
        ...(slot === undefined || scheduleKey === undefined
          ? []
          : [eb.and([eb("schedule_key", "=", scheduleKey), eb("slot", "=", slot)])]),
      ]),
    )
    .executeTakeFirst();
}
