import { type RawBuilder, sql } from "kysely";

/** How long a claim holds unless it is renewed. */
export const defaultLeaseSeconds = 1_800;
/** Longest lease of one claim or renewal: a day. */
export const longestLeaseSeconds = 86_400;

/** When a lease ends that begins now, by the database's clock. */
export function leaseEnd(seconds: number): RawBuilder<Date> {
  return sql<Date>`now() + ${seconds}::double precision * interval '1 second'`;
}
