import type { Db } from "../store/open-store.ts";

/** One effect of an attempt as it is on record, whole. */
export type JournalEntry = Readonly<{
  seq: number;
  op: string;
  /** Exactly as the guest gave them. */
  argsJson: string;
  safe: boolean;
  state: "intent" | "done";
  /** Null while its outcome is not known. */
  ok: boolean | null;
  /** Exactly as the guest saw it; null while there is none. */
  resultJson: string | null;
  /** Order of delivery, from 1. */
  delivered: number | null;
  guestMs: number | null;
  startedAt: Date;
}>;

/** The journal of an attempt in order of issue, with what stands in blobs. */
export async function readJournal(db: Db, runId: number, attempt: number): Promise<JournalEntry[]> {
  const rows = await db
    .selectFrom("journal")
    .leftJoin("blobs as args_blob", "args_blob.hash", "journal.args_hash")
    .leftJoin("blobs as result_blob", "result_blob.hash", "journal.result_hash")
    .selectAll("journal")
    .select(["args_blob.bytes as args_bytes", "result_blob.bytes as result_bytes"])
    .where("run_id", "=", runId)
    .where("attempt", "=", attempt)
    .orderBy("seq")
    .execute();
  return rows.map((row) => ({
    seq: row.seq,
    op: row.op,
    argsJson: row.args ?? textOf(row.args_bytes, row.args_hash),
    safe: row.safe,
    state: row.state,
    ok: row.outcome === null ? null : row.outcome === "ok",
    resultJson: row.result_hash === null ? row.result : textOf(row.result_bytes, row.result_hash),
    delivered: row.delivered,
    guestMs: row.guest_ms === null ? null : Number(row.guest_ms),
    startedAt: row.started_at,
  }));
}

function textOf(bytes: Uint8Array | null, hash: string | null): string {
  if (bytes === null) throw new Error(`The store has no blob ${hash} that the journal refers to.`);
  return Buffer.from(bytes).toString("utf8");
}
