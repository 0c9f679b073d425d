import { sql } from "kysely";
import { databaseTime } from "../../store/database-time.ts";
import type { Db } from "../../store/open-store.ts";

/** A lease: the run and the fencing token that its claim gave. */
export type Lease = Readonly<{ runId: number; lease: number }>;

export type Heartbeat = Readonly<{
  /** Leases that are no longer this worker's: whatever they still do is fenced off. */
  lost: Lease[];
  /** Leases whose run someone asked to cancel. */
  cancelled: Lease[];
}>;

/** How often a worker renews its leases. */
export const heartbeatMs = 2_000;
/** A lease that was not renewed for this long is lost. */
export const lostAfterMs = 6_000;

/** Renews exactly the given leases of a worker, and tells which are lost or cancelled. */
export async function heartbeat(
  db: Db,
  { worker, leases, now }: Readonly<{ worker: string; leases: readonly Lease[]; now?: Date | undefined }>,
): Promise<Heartbeat> {
  if (leases.length === 0) return { lost: [], cancelled: [] };
  // Not "every run of mine": a claim whose answer was lost on the way must run out of its lease.
  const held = sql.join(leases.map((lease) => sql`(${lease.runId}::bigint, ${lease.lease}::integer)`));
  const { rows } = await sql<{ id: number; lease: number; cancel: boolean }>`
    update runs set heartbeat_at = ${databaseTime(now)}
    where state = 'running' and lease_owner = ${worker} and (id, lease) in (${held})
    returning id, lease, cancel_requested_at is not null as cancel`.execute(db);
  const find = (lease: Lease) => rows.find((row) => row.id === lease.runId && row.lease === lease.lease);
  return {
    lost: leases.filter((lease) => find(lease) === undefined),
    cancelled: leases.filter((lease) => find(lease)?.cancel === true),
  };
}
