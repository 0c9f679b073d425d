import { sql } from "kysely";
import { beat, type WorkerNow } from "../../server/runs/workers/beat.ts";
import type { WorkerSelf } from "../../server/runs/workers/worker-self.ts";
import type { Db } from "../../server/store/open-store.ts";

/** A worker of machine `NAME`, with what a test changes. */
export function testWorker(name: string, more: Partial<WorkerSelf> = {}): WorkerSelf {
  return {
    name,
    host: name,
    home: `/home/${name}`,
    role: "worker",
    labels: ["linux"],
    max: 4,
    guestRuntimes: ["guest-a"],
    ...more,
  };
}

/** What a worker that serves everything says of itself, with what a test changes. */
export function atWork(more: Partial<WorkerNow> = {}): WorkerNow {
  return { state: "active", running: 0, problem: null, unserved: {}, ...more };
}

/** Puts a worker on record, last heard of so many milliseconds ago. */
export async function addWorker(
  db: Db,
  self: WorkerSelf,
  { silentMs = 0, ...now }: Partial<WorkerNow> & { silentMs?: number } = {},
): Promise<void> {
  await beat(db, self, atWork(now));
  await silence(db, self.name, silentMs);
}

/** Makes a worker's last heartbeat older. */
export async function silence(db: Db, name: string, ms: number): Promise<void> {
  await sql`update workers set heartbeat_at = heartbeat_at - ${ms}::integer * interval '1 millisecond'
    where name = ${name}`.execute(db);
}
