import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import { livePlanStates } from "./plan-states.ts";

/** A plan whose daemon was silent for this long is taken over. */
export const planLostAfterMs = 5_000;

/**
 * Renews this daemon's hold on the plans that it drives, and takes those that nobody holds, or whose holder is silent; `alone` takes all
 * of them, where no other daemon can be. Gives back every live plan that is ours, with its fencing token.
 */
export async function claimPlans(
  db: Db,
  { owner, alone }: Readonly<{ owner: string; alone: boolean }>,
): Promise<{ id: number; lease: number }[]> {
  const live = sql.join(livePlanStates.map((state) => sql.lit(state)));
  // What passed while nobody drove it is not counted as time at work.
  const { rows } = await sql<{ id: number; lease: number }>`
    with free as (
      select id from plans where state in (${live}) and (lease_owner is null or lease_owner = ${owner} or ${alone}::boolean
        or heartbeat_at < now() - ${planLostAfterMs}::integer * interval '1 millisecond')
      order by id for update skip locked
    )
    update plans set heartbeat_at = now(), lease_owner = ${owner},
      lease = case when lease_owner = ${owner} then lease else lease + 1 end,
      ran_ms = case when lease_owner = ${owner} or running_since is null then ran_ms
        else ran_ms + greatest(0, extract(epoch from (heartbeat_at - running_since)) * 1000)::bigint end,
      running_since = case when lease_owner = ${owner} or running_since is null then running_since else now() end
    from free where plans.id = free.id returning plans.id, plans.lease`.execute(db);
  return rows.sort((a, b) => a.id - b.id);
}

/** Lets go of every plan at a clean end, so that another daemon takes them at once. */
export async function releasePlans(db: Db, owner: string): Promise<void> {
  await db.updateTable("plans").set({ lease_owner: null }).where("lease_owner", "=", owner).execute();
}
