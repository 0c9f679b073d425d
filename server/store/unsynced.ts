import { type RawBuilder, sql } from "kysely";

/**
 * Evaluated in a statement or transaction, it lets that one commit return before it is synced to disk. Only for what a later,
 * synced commit carries along, since the log is written in order, or what may be done again: nothing is acknowledged by it.
 */
export const unsynced: RawBuilder<string> = sql<string>`set_config('synchronous_commit', 'off', true)`;
