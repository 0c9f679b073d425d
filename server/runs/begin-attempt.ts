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
 * Writes the attempt that a claimed run is at, and the version that it runs, in one statement. It is synced, and the claim
 * with it, so that an attempt which takes the daemon down is counted.
 */
export async function beginAttempt(db: Db, run: Row<"runs">, worker: string, start: AttemptStart): Promise<void> {
  const { version, seed, startMs, runner } = start;
  await db
    .with("begun", (query) =>
      query.insertInto("attempts").values({
        run_id: run.id,
        attempt: run.attempt,
        version,
        worker,
        seed,
        start_ms: startMs,
        guest_runtime: runner?.guestRuntime ?? null,
        v8: runner?.v8 ?? null,
        icu: runner?.icu ?? null,
        state: "running",
      }),
    )
    .updateTable("runs")
    .set({ version })
    .where("id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .execute();
}
