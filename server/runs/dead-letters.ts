import { sql } from "kysely";
import { UserError } from "../errors.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { dismissAlerts } from "./alerts.ts";
import { recordEvent } from "./events.ts";
import { requireRun } from "./read.ts";
import { readRunError } from "./run-error.ts";
import { formatRunId } from "./run-id.ts";

export type DeadFilter = Readonly<{
  job?: string | undefined;
  /** A reason code of run-error.ts. */
  reason?: string | undefined;
  /** Only runs that ended since then. */
  since?: Date | undefined;
}>;

/** Dead letters of one job that failed for one reason. */
export type DeadGroup = Readonly<{
  job: string;
  reason: string;
  class: string | null;
  count: number;
  first_at: Date;
  last_at: Date;
  /** The latest of them. */
  run: string;
  message: string;
}>;

/** `JSON.stringify` keeps the order of keys, and every RunError begins with its reason; a cast to json would refuse \u0000 in a message. */
const reasonOf = sql<string>`coalesce(substring(error from '^\\{"reason":"([a-z_]+)"'), 'unknown')`;

/** Dead letters, what is alike together, latest first. */
export async function listDeadLetters(db: Db, filter: DeadFilter & { limit: number }): Promise<DeadGroup[]> {
  const groups = await deadRuns(db, filter)
    .select([
      "job",
      reasonOf.as("reason"),
      sql<number>`count(*)::integer`.as("count"),
      sql<Date>`min(finished_at)`.as("first_at"),
      sql<Date>`max(finished_at)`.as("last_at"),
      sql<number>`max(id)`.as("latest"),
    ])
    .groupBy(["job", reasonOf])
    .orderBy("last_at", "desc")
    .orderBy("job")
    .limit(filter.limit)
    .execute();
  if (groups.length === 0) return [];
  const ids = groups.map(({ latest }) => latest);
  const runs = await db.selectFrom("runs").select(["id", "error"]).where("id", "in", ids).execute();
  return groups.map(({ latest, ...group }) => {
    const error = readRunError(runs.find(({ id }) => id === latest)?.error ?? null);
    return { ...group, class: error?.class ?? null, run: formatRunId(latest), message: error?.message ?? "" };
  });
}

/** How many runs are dead letters. */
export async function countDeadLetters(db: Db): Promise<number> {
  const row = await deadRuns(db, {}).select(sql<number>`count(*)::integer`.as("count")).executeTakeFirstOrThrow();
  return row.count;
}

/** Dead letters that the filter names, the oldest first. */
export async function findDeadRuns(db: Db, filter: DeadFilter, limit: number): Promise<number[]> {
  const rows = await deadRuns(db, filter).select("id").orderBy("id").limit(limit).execute();
  return rows.map(({ id }) => id);
}

function deadRuns(db: Db, { job, reason, since }: DeadFilter) {
  let query = db.selectFrom("runs").where("dead", "=", true);
  if (job !== undefined) query = query.where("job", "=", job);
  if (reason !== undefined) query = query.where(reasonOf, "=", reason);
  if (since !== undefined) query = query.where("finished_at", ">=", since);
  return query;
}

export type Dismissal = Readonly<{
  runs: readonly (string | number)[];
  /** The job that the person spoke of; its alert may have outlived its runs. */
  job?: string | undefined;
  by: string;
  traceId: string;
}>;

/**
 * Takes runs off the list of dead letters, on a person's word, and closes the alert of a job that has none left. Throws
 * run_not_found, and run_not_dead where one is no dead letter; then none is dismissed.
 */
export async function dismissRuns(db: Db, { runs, job: named, by, traceId }: Dismissal): Promise<Row<"runs">[]> {
  return inTransaction(db, async (trx) => {
    const dismissed: Row<"runs">[] = [];
    for (const handle of runs) {
      const { id } = await requireRun(trx, handle);
      const run = await trx
        .updateTable("runs")
        .set({ dead: false })
        .where("id", "=", id)
        .where("dead", "=", true)
        .returningAll()
        .executeTakeFirst();
      if (run === undefined) throw notDead(await requireRun(trx, id));
      await recordEvent(trx, { kind: "run.dismissed", actor: by, subject: `run:${formatRunId(id)}`, traceId });
      dismissed.push(run);
    }
    for (const job of new Set([...(named === undefined ? [] : [named]), ...dismissed.map((run) => run.job)])) {
      if ((await findDeadRuns(trx, { job }, 1)).length === 0) await dismissAlerts(trx, { job, kind: "failed" });
    }
    return dismissed;
  });
}

/** Says what the run is instead. */
export function notDead({ id, job, state, redriven_as }: Row<"runs">): UserError {
  const handle = formatRunId(id);
  const say = (what: string, next: string) =>
    new UserError("run_not_dead", `${handle} of ${job} is no dead letter: ${what}.`, { next });
  if (redriven_as !== null) {
    return say(`it was redriven as ${formatRunId(redriven_as)}`, `run_read {"run": "${formatRunId(redriven_as)}"}`);
  }
  switch (state) {
    case "succeeded":
    case "cancelled":
      return say(`it is ${state}`, `job_run {"name": "${job}"} starts another`);
    case "needs_decision":
      return say("it waits for a decision", `jr answer ${handle}`);
    case "queued":
    case "running":
    case "suspended":
      return say(`it is ${state}`, `run_read {"run": "${handle}", "wait_seconds": 50} waits for its end`);
    default:
      return say("it was dismissed, or a later slot of its schedule succeeded", `run_read {"run": "${handle}"}`);
  }
}
