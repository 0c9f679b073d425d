import { type RawBuilder, sql } from "kysely";
import { statementTime } from "../../store/database-time.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import { newestMigration } from "../../store/migrate.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import type { AttemptStart } from "../begin-attempt.ts";
import { formatNotice, runsChannel } from "../run-notices.ts";
import { lockClaims } from "./claim.ts";
import type { NewRun } from "./enqueue.ts";
import { concurrencyOf, runColumns, runValues } from "./run-values.ts";

/**
 * Whether a claim that came at this moment would start the requested run first: nothing else is due, its job is active and has a
 * place left, and this program is as new as the database.
 */
function isNext(request: NewRun): RawBuilder<boolean> {
  const at = statementTime(request.now);
  const most = concurrencyOf(request);
  return sql<boolean>`exists (select 1 from jobs where name = ${request.job}::text and state = 'active')
    and not exists (select 1 from runs where state in ('queued', 'suspended') and run_at <= ${at})
    and not exists (select 1 from kysely_migration where name > ${newestMigration}::text)
    ${most === null ? sql`` : sql`and (select count(*) from runs where job = ${request.job}::text and state in ('running', 'suspended')) < ${most}::integer`}`;
}

/** A number for the requested run, where it could start at this moment; undefined where it has to wait or is there already. */
export async function findPlace(db: Db, request: NewRun): Promise<number | undefined> {
  const { job, dedupeKey } = request;
  const known =
    dedupeKey === undefined
      ? sql`false`
      : sql`exists (select 1 from runs where job = ${job}::text and dedupe_key = ${dedupeKey}::text)`;
  const { rows } = await sql<{ id: number }>`
    select nextval(pg_get_serial_sequence('runs', 'id')) as id where not ${known} and ${isNext(request)}`.execute(db);
  return rows[0]?.id;
}

export type Placing = Readonly<{
  id: number;
  request: NewRun;
  worker: string;
  /** The attempt as it begins; null where no runner has it yet. */
  start: AttemptStart | null;
  /** Whether no other process can open the store, so that one statement sees all there is. */
  alone: boolean;
}>;

/**
 * Puts a run into the queue as one that this worker has claimed and begun, in one commit: it is `running` under lease 1. Where
 * something else has come first meanwhile it is `queued`. Undefined where its dedupe key was taken.
 */
export async function place(db: Db, placing: Placing): Promise<Row<"runs"> | undefined> {
  if (placing.alone) return insert(db, placing);
  return inTransaction(db, async (trx) => {
    await lockClaims(trx);
    return insert(trx, placing);
  });
}

async function insert(db: Db, { id, request, worker, start }: Placing): Promise<Row<"runs"> | undefined> {
  const at = statementTime(request.now);
  const runner = start?.runner ?? null;
  const begun =
    start === null
      ? sql``
      : sql`, begun as (
          insert into attempts (run_id, attempt, version, worker, seed, start_ms, guest_runtime, v8, icu, state)
          select id, 1, ${start.version}::integer, ${worker}::text, ${start.seed}::text, ${start.startMs}::bigint,
            ${runner?.guestRuntime ?? null}::text, ${runner?.v8 ?? null}::text, ${runner?.icu ?? null}::text, 'running'
          from made where state = 'running'
        )`;
  const { rows } = await sql<Row<"runs">>`
    with place as materialized (
      select case when ${isNext(request)} then 1 else 0 end as free
    ), made as (
      insert into runs (id, state, attempt, lease, lease_owner, heartbeat_at, started_at, version, ${runColumns})
      overriding system value
      select ${id}::bigint, case free when 1 then 'running' else 'queued' end, free, free,
        case free when 1 then ${worker}::text end, case free when 1 then ${at} end, case free when 1 then ${at} end,
        case free when 1 then ${start?.version ?? null}::integer end, ${runValues(request)}
      from place
      on conflict do nothing returning *
    )${begun}, told as (
      select pg_notify(${runsChannel}, ${formatNotice({ kind: "queued" })}) from made where state = 'queued'
    )
    select made.* from made left join told on true`.execute(db);
  return rows[0];
}
