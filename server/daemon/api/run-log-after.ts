import { UserError } from "../../errors.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";

/** A place in a run's log, over all of its attempts: `2.17` is line 17 of attempt 2. */
export type LogCursor = Readonly<{ attempt: number; n: number }>;

/** Throws `invalid_argument`. */
export function parseLogCursor(text: string): LogCursor {
  const [, attempt, n] = /^(\d{1,9})\.(\d{1,9})$/.exec(text) ?? [];
  if (attempt !== undefined && n !== undefined) return { attempt: Number(attempt), n: Number(n) };
  throw new UserError("invalid_argument", `"${text.slice(0, 40)}" is no place in a log; places look like 1.20.`);
}

/** The place of the last of these lines, or the one from before where there are none. */
export function logCursorAfter(lines: readonly Row<"run_logs">[], before: string): string {
  const last = lines.at(-1);
  return last === undefined ? before : `${last.attempt}.${last.n}`;
}

/** Lines that follow a place, those of later attempts too, in order. */
export function readRunLogAfter(
  db: Db,
  { runId, after, limit }: Readonly<{ runId: number; after: LogCursor; limit: number }>,
): Promise<Row<"run_logs">[]> {
  return db
    .selectFrom("run_logs")
    .selectAll()
    .where("run_id", "=", runId)
    .where(({ or, and, eb }) =>
      or([eb("attempt", ">", after.attempt), and([eb("attempt", "=", after.attempt), eb("n", ">", after.n)])]),
    )
    .orderBy("attempt")
    .orderBy("n")
    .limit(limit)
    .execute();
}
