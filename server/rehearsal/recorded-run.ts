import { UserError } from "../errors.ts";
import { readAttempts, requireRun } from "../runs/read.ts";
import { readJournal } from "../runs/read-journal.ts";
import { formatRunId } from "../runs/run-id.ts";
import { readRunEvent } from "../runs/triggers/run-event.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { RecordedRun } from "./rehearse.ts";

/** An attempt with everything that its run had from outside. */
export type ReadRun = RecordedRun & Readonly<{ run: Row<"runs">; attempt: Row<"attempts"> }>;

/** A run's attempt as it is on record, the latest where none is named. Throws `run_not_found`, `invalid_argument`. */
export async function readRecordedRun(db: Db, handle: string | number, number?: number): Promise<ReadRun> {
  const run = await requireRun(db, handle);
  const attempts = await readAttempts(db, run.id);
  const attempt = number === undefined ? attempts.at(-1) : attempts.find((each) => each.attempt === number);
  if (attempt === undefined) {
    const what = number === undefined ? "has not begun yet" : `has no attempt ${number}`;
    throw new UserError("invalid_argument", `${formatRunId(run.id)} ${what}: there is nothing on record.`, {
      next: `run_read {"run": "${formatRunId(run.id)}"}`,
    });
  }
  const info = {
    job: run.job,
    version: attempt.version ?? 0,
    run: formatRunId(run.id),
    attempt: attempt.attempt,
    trigger: run.trigger,
    slot: run.slot?.toISOString() ?? null,
    event: await readRunEvent(db, run),
  };
  const journal = await readJournal(db, run.id, attempt.attempt);
  return { run, attempt, info, seed: attempt.seed, startMs: Number(attempt.start_ms), journal };
}
