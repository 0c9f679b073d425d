import type { LogLine } from "../sandbox/types.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import { unsynced } from "../store/unsynced.ts";

export type LogWriter = Readonly<{
  add(line: LogLine): void;
  /** Writes what is left, for the settling of the run to sync. Throws where the store does not take it. */
  finish(): Promise<void>;
  /** Takes what is left, where it is little, for the settling of the run to write; the rest is written. */
  takeRest(): Promise<readonly LogRow[]>;
}>;

/** A line as it is stored. */
export type LogRow = Pick<Row<"run_logs">, "n" | "level" | "text" | "at">;

const batchMs = 150;
const batchLines = 500;
/** Most lines that a run's end takes along. */
const restLines = 20;

/** Writes a job's log in batches, so that a talkative job costs few transactions. Lines that could not be written are tried again. */
export function createLogWriter(db: Db, attempt: { runId: number; attempt: number }): LogWriter {
  let waiting: LogLine[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(last: boolean): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchLines);
      const rows = batch.map((line) => ({ run_id: attempt.runId, attempt: attempt.attempt, ...rowOf(line) }));
      // An attempt that goes on from its journal logs again what it has logged.
      const insert = db
        .insertInto("run_logs")
        .values(rows)
        .onConflict((conflict) => conflict.doNothing());
      await (last ? insert.returning(unsynced.as("unsynced")) : insert).execute();
      waiting = waiting.slice(batch.length);
    }
  }

  /** One write at a time; a failed one does not stop the next. */
  function queueWrite(last: boolean): Promise<void> {
    const next = writing.then(() => write(last));
    writing = next.catch(() => {});
    return next;
  }

  return {
    add(line) {
      waiting.push(line);
      timer ??= setTimeout(() => void queueWrite(false).catch(() => {}), batchMs);
    },
    finish: () => queueWrite(true),
    async takeRest() {
      clearTimeout(timer);
      timer = undefined;
      await writing;
      if (waiting.length > restLines) await queueWrite(true);
      return waiting.splice(0).map(rowOf);
    },
  };
}

function rowOf({ n, level, text, guestMs }: LogLine): LogRow {
  return { n, level, text: storableText(text), at: new Date(guestMs) };
}
