import { type RawBuilder, sql } from "kysely";

/**
 * The instant that queue statements go by: the database's clock, so that machines whose clocks differ agree, or the
 * given one. `now()` stands still within a transaction, and that is needed: see claim.
 */
export function databaseTime(now: Date | undefined): RawBuilder<Date> {
  return now === undefined ? sql<Date>`now()` : sql<Date>`${now}::timestamptz`;
}
