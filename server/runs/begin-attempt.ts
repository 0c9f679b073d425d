import type { RunnerInfo } from "../sandbox/types.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";

export type AttemptStart = Readonly<{
  version: number | null;
  seed: string;
  startMs: number;
  /** The runner that took it; null where none did. */
  runner: RunnerInfo | null;
}>;

/**
 * Writes the attempt that a claimed run is at, and the version that it runs, in one statement; one that goes on from its journal
 * counts up. It is synced, and the claim with it, so that an attempt which takes the daemon down is counted.
 * Throws where the lease was lost.
 */
export async function beginAttempt(db: Db, run: Row<"runs">, worker: string, start: AttemptStart): Promise<void> {
  const { version, seed, startMs, runner } = start;
  const versions = { guest_runtime: runner?.guestRuntime ?? null, v8: runner?.v8 ?? null, icu: runner?.icu ?? null };
  const { numUpdatedRows } = await db
    .with("begun", (query) =>
      query
        .insertInto("attempts")
        .columns(["run_id", "attempt", "version", "worker", "seed", "start_ms", "guest_runtime", "v8", "icu", "state"])
        .expression((eb) =>
          eb
            .selectFrom("runs")
            .select(({ val, cast }) => [
              "id",
              "attempt",
              cast<number | null>(val(version), "integer").as("version"),
              val(worker).as("worker"),
              val(seed).as("seed"),
              cast<number>(val(startMs), "bigint").as("start_ms"),
              val(versions.guest_runtime).as("guest_runtime"),
              val(versions.v8).as("v8"),
              val(versions.icu).as("icu"),
              val("running").as("state"),
            ])
            .where("id", "=", run.id)
            .where("lease", "=", run.lease)
            .where("state", "=", "running"),
        )
        .onConflict((conflict) =>
          conflict.columns(["run_id", "attempt"]).doUpdateSet((eb) => {
            // One that no runner has taken yet begins now, whatever stands there of it.
            const isNew = eb("attempts.guest_runtime", "is", null);
            const first = <K extends "version" | "seed" | "start_ms">(column: K) =>
              eb
                .case()
                .when(isNew)
                .then(eb.ref(`excluded.${column}`))
                .else(eb.ref(`attempts.${column}`))
                .end();
            return {
              ...versions,
              worker,
              state: "running",
              version: first("version"),
              seed: first("seed"),
              start_ms: first("start_ms"),
              resumed: eb("attempts.resumed", "+", eb.case().when(isNew).then(0).else(1).end()),
            };
          }),
        ),
    )
    .updateTable("runs")
    .set({ version })
    .where("id", "=", run.id)
    .where("lease", "=", run.lease)
    .where("state", "=", "running")
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Error(`lease ${run.lease} does not hold run ${run.id} any more`);
}

/** The attempt that a claimed run goes on with, or undefined where it starts anew. */
export async function findBegunAttempt(db: Db, run: Row<"runs">): Promise<Row<"attempts"> | undefined> {
  // Each claim counts the lease up, and each new attempt both.
  if (run.lease === run.attempt) return undefined;
  return db
    .selectFrom("attempts")
    .selectAll()
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .where("guest_runtime", "is not", null)
    .executeTakeFirst();
}
