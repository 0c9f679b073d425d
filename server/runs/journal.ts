import { putBlob } from "../store/blobs.ts";
import type { Db } from "../store/open-store.ts";
import type { NewRow } from "../store/tables.ts";

/** Longest result, in characters of JSON, that stands in the journal itself; longer ones are blobs. */
const inlineChars = 64 * 1024;

export type JournalKey = Readonly<{ runId: number; attempt: number; seq: number }>;
export type Issued = JournalKey & Readonly<{ op: string; args: string; safe: boolean; startedAt: Date }>;
export type Delivery = Readonly<{
  outcome: "ok" | "error";
  /** JSON exactly as the guest sees it. */
  result: string;
  /** Order of delivery, from 1. */
  delivered: number;
  guestMs: number;
  endedAt: Date;
}>;

/** Says that an unsafe effect is about to start. Once this is committed, the effect may have happened. */
export async function recordIntent(db: Db, issued: Issued): Promise<void> {
  await db
    .insertInto("journal")
    .values({ ...issuedRow(issued), state: "intent" })
    .execute();
}

/** Keeps an effect with its result, over its intent where it has one. The guest may see the result once this is committed. */
export async function recordDone(db: Db, issued: Issued, delivery: Delivery): Promise<void> {
  const large = delivery.result.length > inlineChars;
  const done = {
    state: "done",
    outcome: delivery.outcome,
    result: large ? null : delivery.result,
    result_hash: large ? await putBlob(db, delivery.result) : null,
    delivered: delivery.delivered,
    guest_ms: delivery.guestMs,
    ended_at: delivery.endedAt,
  } as const;
  await db
    .insertInto("journal")
    .values({ ...issuedRow(issued), ...done })
    .onConflict((conflict) => conflict.columns(["run_id", "attempt", "seq"]).doUpdateSet(done))
    .execute();
}

function issuedRow(issued: Issued): Omit<NewRow<"journal">, "state"> {
  const { runId, attempt, seq, op, args, safe, startedAt } = issued;
  return { run_id: runId, attempt, seq, op, args, safe, started_at: startedAt };
}
