import { sql } from "kysely";
import type { Log } from "../../log.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import type { Store } from "../../store/open-store.ts";
import { raiseAlert, resolveAlert } from "../alerts.ts";
import { readRunError } from "../run-error.ts";
import { formatRunId } from "../run-id.ts";
import type { WorkerView } from "./read-workers.ts";
import { whoLacksWhat, workersAtWork } from "./why-waiting.ts";
import { lostWorkerAlert, unservedAlert } from "./worker-alerts.ts";

/** A worker that was silent for this long is told of. Its runs are taken over long before. */
export const goneAfterMs = 15_000;
/** A due run that nobody can serve for this long is told of. */
const unservedAfterMs = 60_000;

type Overseer = Readonly<{
  /** `steady`: this worker has had the database for long enough to judge the silence of others. */
  look(options: { steady: boolean }): Promise<void>;
}>;

/** Tells the person of workers that stopped without a word and of runs that no worker can serve. Every worker does this; each thing is told once. */
export function createOverseer({
  store,
  log,
  clock,
}: Readonly<{ store: Store; log: Log; clock: () => number }>): Overseer {
  /** Jobs whose due runs nobody could serve, since when. */
  const stuckSince = new Map<string, number>();

  return {
    async look({ steady }) {
      if (steady) await giveUpSilent(store, log);
      const stuck = await findStuck(store);
      const at = clock();
      for (const job of [...stuckSince.keys()]) if (!stuck.has(job)) stuckSince.delete(job);
      for (const job of stuck.keys()) if (!stuckSince.has(job)) stuckSince.set(job, at);
      const told = [...stuck].filter(([job]) => at - (stuckSince.get(job) ?? at) >= unservedAfterMs);
      await tellUnserved(store, new Map(told), new Set(stuck.keys()));
    },
  };
}

/** Each silent worker is given up by one of those that see it. */
async function giveUpSilent({ db }: Store, log: Log): Promise<void> {
  const given = await inTransaction(db, async (trx) => {
    const { rows } = await sql<Pick<WorkerView, "name" | "host" | "home" | "pid"> & { succeeded: boolean }>`
      update workers w set state = 'gone', running = 0, lost_at = now()
      where state <> 'gone' and heartbeat_at < now() - ${goneAfterMs}::integer * interval '1 millisecond'
      returning name, host, home, pid, exists (
        select 1 from workers s where s.host = w.host and s.home = w.home and s.started_at > w.started_at
      ) as succeeded`.execute(trx);
    for (const { name, host, home, pid, succeeded } of rows) {
      if (succeeded) continue;
      const message = `worker on ${host} (pid ${pid}, ${home}) stopped without a word; its runs go on elsewhere`;
      await raiseAlert(trx, { key: lostWorkerAlert(name), message });
    }
    return rows;
  });
  for (const { name } of given) log.warn({ worker: name }, "a worker stopped without a word");
}

type Stuck = Map<string, { runId: number; message: string }>;

/** Jobs with due runs that no worker which lives can serve, with the oldest of these and who lacks what. */
async function findStuck(store: Store): Promise<Stuck> {
  const workers = await workersAtWork(store);
  const lacking = new Map<string, string>();
  for (const job of new Set(workers.flatMap(({ unserved }) => Object.keys(unserved)))) {
    const why = whoLacksWhat(workers, job);
    if (why !== undefined) lacking.set(job, why);
  }
  // Where nobody takes any run at all, it does not matter whose it is.
  const nobody = workers.every(({ problem }) => problem !== null);
  const { rows } = await sql<{ job: string; run_id: number; own: string | null }>`
    select r.job, min(r.id) as run_id, min(r.error) filter (where r.error like ${putBack}) as own
    from runs r join jobs j on j.name = r.job and j.state = 'active'
    where r.state in ('queued', 'suspended') and r.run_at <= now() and r.cancel_requested_at is null
      and (${nobody} or r.job = any(${[...lacking.keys()]}::text[]) or r.error like ${putBack})
    group by r.job`.execute(store.db);
  return new Map(
    rows.flatMap(({ job, run_id: runId, own }) => {
      const why = lacking.get(job) ?? (nobody ? whoLacksWhat(workers, job) : undefined) ?? readRunError(own)?.message;
      return why === undefined ? [] : [[job, { runId, message: `${formatRunId(runId)} of ${job} waits: ${why}` }]];
    }),
  );
}

/** Errors of runs that a worker has put back: a version that has begun may need what the active one does not. */
const putBack = '{"reason":"unserved"%';

async function tellUnserved({ db }: Store, told: Stuck, stuck: ReadonlySet<string>): Promise<void> {
  const open = await db
    .selectFrom("alerts")
    .select("key")
    .where("key", "like", "job:%:unserved")
    .where("resolved_at", "is", null)
    .execute();
  const keys = new Set(open.map(({ key }) => key));
  const wanted = new Set([...stuck].map(unservedAlert));
  for (const key of keys) if (!wanted.has(key)) await resolveAlert(db, { key });
  for (const [job, { runId, message }] of told) {
    if (keys.has(unservedAlert(job))) continue;
    await inTransaction(db, async (trx) => {
      // Others look at the same moment; the second to come finds it open.
      await sql`select pg_advisory_xact_lock(hashtext('jobrunner.unserved'))`.execute(trx);
      const key = unservedAlert(job);
      const there = await trx
        .selectFrom("alerts")
        .select("key")
        .where("key", "=", key)
        .where("resolved_at", "is", null)
        .executeTakeFirst();
      if (there === undefined) await raiseAlert(trx, { key, message, runId });
    });
  }
}
