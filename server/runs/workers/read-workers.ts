import { sql } from "kysely";
import { z } from "zod";
import type { Db, Store } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { lostAfterMs } from "../queue/heartbeat.ts";
import { parseUnserved, type Unserved } from "./needs.ts";

/** A worker as it last told of itself. */
export type WorkerView = Omit<Row<"workers">, "labels" | "guest_runtimes" | "unserved"> &
  Readonly<{
    labels: readonly string[];
    guest_runtimes: readonly string[];
    unserved: Unserved;
    /** Whether it has not ended, and its last heartbeat is recent. */
    alive: boolean;
    /** Milliseconds since its last heartbeat, by the database's clock. */
    silent_ms: number;
  }>;

/** How a worker stands: `silent` has missed its last heartbeats, `lost` was given up, `ended` has stopped in order. */
export type WorkerStanding = "active" | "draining" | "silent" | "lost" | "ended";

export function workerStanding({
  state,
  alive,
  lost_at,
}: Pick<WorkerView, "state" | "alive" | "lost_at">): WorkerStanding {
  if (state === "gone") return lost_at === null ? "ended" : "lost";
  return alive ? state : "silent";
}

const names = z.array(z.string()).catch([]);

/** Every worker on record: those that live first, then by host. */
export async function listWorkers({ db, kind }: Pick<Store, "db" | "kind">): Promise<WorkerView[]> {
  const rows = await db
    .selectFrom("workers")
    .selectAll()
    .select([
      recent(kind).as("recent"),
      sql<number>`(extract(epoch from now() - heartbeat_at) * 1000)::double precision`.as("silent_ms"),
    ])
    .orderBy(sql`state = 'gone'`)
    .orderBy("host")
    .orderBy("started_at")
    .orderBy("name")
    .execute();
  return rows.map(({ recent: isRecent, labels, guest_runtimes, unserved, ...row }) => ({
    ...row,
    labels: names.parse(JSON.parse(labels)),
    guest_runtimes: names.parse(JSON.parse(guest_runtimes)),
    unserved: parseUnserved(unserved),
    alive: row.state !== "gone" && isRecent,
  }));
}

/** An embedded store has one worker, which writes only what has changed. */
function recent(kind: Store["kind"]) {
  return kind === "pglite"
    ? sql<boolean>`true`
    : sql<boolean>`heartbeat_at > now() - ${lostAfterMs}::integer * interval '1 millisecond'`;
}

/**
 * Whether other workers are on record: one that has ended counts until it is removed, since it may come back. An earlier process
 * of the same host and home does not.
 */
export async function hasOtherWorkers(db: Db, self: Pick<WorkerView, "name" | "host" | "home">): Promise<boolean> {
  const row = await db
    .selectFrom("workers")
    .select("name")
    .where("name", "!=", self.name)
    .where((eb) => {
      const ended = eb.or([eb("state", "=", "gone"), eb.not(recent("postgres"))]);
      return eb.not(eb.and([eb("host", "=", self.host), eb("home", "=", self.home), ended]));
    })
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
