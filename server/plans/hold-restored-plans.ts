import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import { livePlanStates } from "./plan-states.ts";

/**
 * Stops plans that a restored store holds as live: what their nodes did after the backup is not on record, and would happen again without
 * anybody's word. `jr plans resume` lets each go on. Gives back which.
 */
export async function holdRestoredPlans(db: Db): Promise<number[]> {
  const stopped = await db
    .updateTable("plans")
    .set({ state: "stopped", lease: sql<number>`lease + 1`, lease_owner: null, running_since: null })
    .where("state", "in", livePlanStates)
    .returning("id")
    .execute();
  return stopped.map(({ id }) => id).sort((a, b) => a - b);
}
