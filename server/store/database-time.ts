import { type RawBuilder, sql } from "kysely";

/**
 * The instant that queue statements go by: the database's clock, so that machines whose clocks differ agree, or the
 * given one. It is that of the transaction's beginning.
 */
export function databaseTime(now: Date | undefined): RawBuilder<Date> {
  return now === undefined ? sql<Date>`now()` : sql<Date>`${now}::timestamptz`;
}

/** As `databaseTime`, but that of the statement's beginning: for one whose transaction has waited for a lock before. */
export function statementTime(now: Date | undefined): RawBuilder<Date> {
  return now === undefined ? sql<Date>`statement_timestamp()` : databaseTime(now);
}
