import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { Row, RunState } from "../store/tables.ts";
import { formatRunId, parseRunId } from "./run-id.ts";

export { formatRunId, parseRunId };

/** A page of a list; `cursor` continues it, and is null at the end. */
export type Page<T> = Readonly<{ rows: T[]; cursor: string | null }>;

/** The run of a handle (`R12`, 12), or undefined. Throws invalid_argument where it is no handle. */
export function findRun(db: Db, handle: string | number): Promise<Row<"runs"> | undefined> {
  return db.selectFrom("runs").selectAll().where("id", "=", parseRunId(handle)).executeTakeFirst();
}

/** The run of a handle. Throws invalid_argument and run_not_found. */
export async function requireRun(db: Db, handle: string | number): Promise<Row<"runs">> {
  const run = await findRun(db, handle);
  if (run === undefined) {
    throw new UserError("run_not_found", `There is no run ${formatRunId(parseRunId(handle))}.`, { next: "run_list" });
  }
  return run;
}

export type RunFilter = Readonly<{
  job?: string | undefined;
  state?: RunState | readonly RunState[] | undefined;
  /** Only dead letters. */
  dead?: boolean | undefined;
  limit: number;
  /** A run handle: only older runs follow. */
  cursor?: string | null | undefined;
}>;

/** Runs, latest first. */
export async function listRuns(db: Db, { job, state, dead, limit, cursor }: RunFilter): Promise<Page<Row<"runs">>> {
  let query = db
    .selectFrom("runs")
    .selectAll()
    .orderBy("id", "desc")
    .limit(limit + 1);
  if (job !== undefined) query = query.where("job", "=", job);
  if (state !== undefined) query = query.where("state", "in", typeof state === "string" ? [state] : state);
  if (dead) query = query.where("dead", "=", true);
  if (cursor) query = query.where("id", "<", parseRunId(cursor));
  const rows = await query.execute();
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, cursor: rows.length > limit && last !== undefined ? formatRunId(last.id) : null };
}

/** Attempts of a run, in order. */
export function readAttempts(db: Db, runId: number): Promise<Row<"attempts">[]> {
  return db.selectFrom("attempts").selectAll().where("run_id", "=", runId).orderBy("attempt").execute();
}

export type LogTail = Readonly<{
  runId: number;
  /** The latest attempt by default. */
  attempt?: number | undefined;
  /** How many lines from the end. */
  tail: number;
}>;

/** The last lines of an attempt's log, in order, and how many lines come before them. */
export async function readRunLog(
  db: Db,
  { runId, attempt, tail }: LogTail,
): Promise<{ lines: Row<"run_logs">[]; before: number; attempt: number | null }> {
  const wanted = attempt ?? (await latestAttempt(db, "run_logs", runId));
  if (wanted === null) return { lines: [], before: 0, attempt: null };
  const lines = await db
    .selectFrom("run_logs")
    .selectAll()
    .where("run_id", "=", runId)
    .where("attempt", "=", wanted)
    .orderBy("n", "desc")
    .limit(tail)
    .execute();
  lines.reverse();
  return { lines, before: (lines[0]?.n ?? 1) - 1, attempt: wanted };
}

export type EffectsFilter = Readonly<{
  runId: number;
  /** The latest attempt by default. */
  attempt?: number | undefined;
  limit: number;
  /** Only effects after this `seq`. */
  after?: number | undefined;
}>;

/** An effect with its arguments and result whole, wherever they are kept. */
export type RecordedEffect = Omit<Row<"journal">, "args" | "args_hash" | "result_hash"> & Readonly<{ args: string }>;

/** Effects of an attempt in order of issue. `next` is the `after` of the following page, or null. */
export async function readEffects(
  db: Db,
  { runId, attempt, limit, after = 0 }: EffectsFilter,
): Promise<{ effects: RecordedEffect[]; next: number | null; attempt: number | null }> {
  const wanted = attempt ?? (await latestAttempt(db, "attempts", runId));
  if (wanted === null) return { effects: [], next: null, attempt: null };
  const rows = await db
    .selectFrom("journal")
    .leftJoin("blobs as args_blob", "args_blob.hash", "journal.args_hash")
    .leftJoin("blobs as result_blob", "result_blob.hash", "journal.result_hash")
    .selectAll("journal")
    .select(["args_blob.bytes as args_bytes", "result_blob.bytes as result_bytes"])
    .where("run_id", "=", runId)
    .where("attempt", "=", wanted)
    .where("seq", ">", after)
    .orderBy("seq")
    .limit(limit + 1)
    .execute();
  const effects = rows
    .slice(0, limit)
    .map(({ args, args_hash, args_bytes, result, result_hash, result_bytes, ...row }) => ({
      ...row,
      args: args ?? textOf(args_bytes),
      result: result_hash === null ? result : textOf(result_bytes),
    }));
  return { effects, next: rows.length > limit ? (effects.at(-1)?.seq ?? null) : null, attempt: wanted };
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? "(not in the store any more)" : Buffer.from(bytes).toString("utf8");
}

async function latestAttempt(db: Db, table: "attempts" | "run_logs", runId: number): Promise<number | null> {
  const row = await db
    .selectFrom(table)
    .select("attempt")
    .where("run_id", "=", runId)
    .orderBy("attempt", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.attempt ?? null;
}

/** What became of slots that are not runs, latest first. */
export function listSkippedSlots(
  db: Db,
  { job, limit }: Readonly<{ job?: string | undefined; limit: number }>,
): Promise<Row<"skipped_slots">[]> {
  const query = db.selectFrom("skipped_slots").selectAll().orderBy("last_slot", "desc").limit(limit);
  return (job === undefined ? query : query.where("job", "=", job)).execute();
}
