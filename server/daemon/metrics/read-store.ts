import { sql } from "kysely";
import { type QueueDepth, readQueueDepth } from "../../runs/metrics/queue-depth.ts";
import { listWorkers } from "../../runs/workers/read-workers.ts";
import type { Db, Store } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";

/** What the store tells of every machine, at one moment. */
export type StoreFigures = Readonly<{
  queue: QueueDepth;
  oldest_due_seconds: number;
  /** How long the oldest slot that no scheduler has met is due. */
  schedule_behind_seconds: number;
  jobs: Readonly<Record<Row<"jobs">["state"], number>>;
  dead: readonly Readonly<{ job: string; count: number }>[];
  alerts_open: number;
  agents: Readonly<{ queued: number; running: number }>;
  /** What agents have used and given since the store was made, by model; at most `mostModels`, the busiest first. */
  models: readonly ModelFigures[];
  workers: Readonly<{ active: number; draining: number; lost: number; running: number; max: number }>;
}>;

export type ModelFigures = Readonly<{
  provider: string;
  model: string;
  tokens_in: number;
  tokens_out: number;
  cost_microusd: number;
  /** Whole answers: taken, sent back by an oracle, and never given. */
  accepted: number;
  refused: number;
  failed: number;
}>;

const mostModels = 50;

/** Reads it by indexes that hold only what has not ended. */
export async function readStoreFigures(store: Pick<Store, "db" | "kind">): Promise<StoreFigures> {
  const { db } = store;
  const { runs, oldestDueSeconds } = await readQueueDepth(db);
  const { rows } = await sql<Counts>`
    select (select coalesce(greatest(0, extract(epoch from now() - min(next_slot))), 0)::double precision
        from schedules where next_slot is not null) as behind,
      count(*) filter (where state = 'active')::integer as active,
      count(*) filter (where state = 'paused')::integer as paused,
      count(*) filter (where state = 'retired')::integer as retired,
      (select count(*)::integer from alerts where resolved_at is null) as alerts,
      (select count(*)::integer from agents where state = 'queued') as queued,
      (select count(*)::integer from agents where state = 'running') as running
    from jobs`.execute(db);
  const { behind, active, paused, retired, alerts, queued, running } = rows[0] ?? none;
  const dead = await db
    .selectFrom("runs")
    .select(["job", sql<number>`count(*)::integer`.as("count")])
    .where(sql<boolean>`dead`)
    .groupBy("job")
    .orderBy("count", "desc")
    .orderBy("job")
    .execute();
  const workers = await listWorkers(store);
  const alive = workers.filter((worker) => worker.alive);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  return {
    queue: runs,
    oldest_due_seconds: oldestDueSeconds,
    schedule_behind_seconds: behind,
    jobs: { active, paused, retired },
    dead,
    alerts_open: alerts,
    agents: { queued, running },
    models: await readModels(db),
    workers: {
      active: alive.filter(({ state }) => state === "active").length,
      draining: alive.filter(({ state }) => state === "draining").length,
      // Ended in order is not lost.
      lost: workers.filter(({ alive: lives, state, lost_at }) => !lives && (state !== "gone" || lost_at !== null))
        .length,
      running: sum(alive.map(({ running }) => running)),
      max: sum(alive.filter(({ state }) => state === "active").map(({ max }) => max)),
    },
  };
}

type Counts = typeof none;
const none = { behind: 0, active: 0, paused: 0, retired: 0, alerts: 0, queued: 0, running: 0 };

async function readModels(db: Db): Promise<ModelFigures[]> {
  const { rows } = await sql<ModelFigures>`
    select provider, model, sum(tokens_in)::bigint as tokens_in, sum(tokens_out)::bigint as tokens_out,
      sum(cost_microusd)::bigint as cost_microusd, sum(accepted)::integer as accepted, sum(refused)::integer as refused,
      sum(failed)::integer as failed
    from model_stats group by provider, model order by sum(calls) desc, provider, model limit ${mostModels}`.execute(
    db,
  );
  return rows;
}

/** Bytes of the database on disk. */
export async function readStoreBytes({ db }: Pick<Store, "db">): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(db);
  return rows[0]?.bytes ?? 0;
}

/** Names of the active jobs that have been there longest. */
export async function oldestJobs({ db }: Pick<Store, "db">, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom("jobs")
    .select("name")
    .where("state", "=", "active")
    .orderBy("created_at")
    .orderBy("name")
    .limit(limit)
    .execute();
  return rows.map(({ name }) => name);
}
