import { sql } from "kysely";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";

/** Runs that are in the queue for a later time, the next one first: asked for with a time, held back by jitter, or tried again. */
export function listWaitingRuns(
  db: Db,
  { job, limit }: Readonly<{ job?: string | undefined; limit: number }>,
): Promise<Pick<Row<"runs">, "id" | "job" | "run_at" | "trigger" | "slot" | "attempt" | "requested_by">[]> {
  const query = db
    .selectFrom("runs")
    .select(["id", "job", "run_at", "trigger", "slot", "attempt", "requested_by"])
    .where("state", "=", "queued")
    .where("run_at", ">", sql<Date>`now()`)
    .orderBy("run_at")
    .orderBy("id")
    .limit(limit);
  return (job === undefined ? query : query.where("job", "=", job)).execute();
}
