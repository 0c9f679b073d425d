import { sql } from "kysely";
import { putBlob } from "../store/blobs.ts";
import type { Db } from "../store/open-store.ts";

/** Longest arguments or result, in characters of JSON, that stand in the journal itself; longer ones are blobs. */
const inlineChars = 64 * 1024;

export type Issued = Readonly<{
  runId: number;
  attempt: number;
  /** The fencing token: nothing is written for a run that was claimed again since. */
  lease: number;
  seq: number;
  op: string;
  args: string;
  safe: boolean;
  startedAt: Date;
}>;
export type Delivery = Readonly<{
  outcome: "ok" | "error";
  /** JSON exactly as the guest sees it. */
  result: string;
  /** Order of delivery, from 1. */
  delivered: number;
  guestMs: number;
  endedAt: Date;
}>;

/**
 * Says that an effect is about to start. Once this is committed, an unsafe effect may have happened. One that is on record already
 * stays as it is. Throws where the lease was lost.
 */
export async function recordIntent(db: Db, issued: Issued): Promise<void> {
  const { text: args, hash: args_hash } = await placeText(db, issued.args);
  const { runId, attempt, lease, seq, op, safe, startedAt } = issued;
  const { rows } = await sql<{ held: number }>`
    with held as (select 1 as held from runs where id = ${runId} and lease = ${lease} and state = 'running' for share),
    made as (
      insert into journal (run_id, attempt, seq, op, args, args_hash, safe, state, started_at)
      select ${runId}::bigint, ${attempt}::integer, ${seq}::integer, ${op}, ${args}, ${args_hash}, ${safe}::boolean, 'intent', ${startedAt}::timestamptz
      from held on conflict do nothing)
    select held from held`.execute(db);
  if (rows.length === 0) throw leaseLost(issued);
}

/**
 * Keeps an effect with its result, over its intent where it has one. The guest may see the result once this is committed.
 * Throws where the lease was lost or the effect is done already.
 */
export async function recordDone(db: Db, issued: Issued, delivery: Delivery): Promise<void> {
  const { text: args, hash: args_hash } = await placeText(db, issued.args);
  const { text: result, hash: result_hash } = await placeText(db, delivery.result);
  const { runId, attempt, lease, seq, op, safe, startedAt } = issued;
  const { outcome, delivered, guestMs, endedAt } = delivery;
  const { rows } = await sql`
    with held as (select 1 from runs where id = ${runId} and lease = ${lease} and state = 'running' for share)
    insert into journal (run_id, attempt, seq, op, args, args_hash, safe, state, started_at,
      outcome, result, result_hash, delivered, guest_ms, ended_at)
    select ${runId}::bigint, ${attempt}::integer, ${seq}::integer, ${op}, ${args}, ${args_hash}, ${safe}::boolean, 'done', ${startedAt}::timestamptz,
      ${outcome}, ${result}, ${result_hash}, ${delivered}::integer, ${guestMs}::bigint, ${endedAt}::timestamptz
    from held
    on conflict (run_id, attempt, seq) do update set state = 'done', outcome = excluded.outcome, result = excluded.result,
      result_hash = excluded.result_hash, delivered = excluded.delivered, guest_ms = excluded.guest_ms,
      ended_at = excluded.ended_at, progress = null
    where journal.state = 'intent'
    returning seq`.execute(db);
  if (rows.length === 0) throw leaseLost(issued);
}

/** Shows the end of what an effect in flight has put out so far. Nothing depends on it. */
export async function recordProgress(db: Db, { runId, attempt, seq }: Issued, tail: string): Promise<void> {
  await db
    .updateTable("journal")
    .set({ progress: tail })
    .where("run_id", "=", runId)
    .where("attempt", "=", attempt)
    .where("seq", "=", seq)
    .where("state", "=", "intent")
    .execute();
}

async function placeText(db: Db, text: string): Promise<{ text: string | null; hash: string | null }> {
  return text.length > inlineChars ? { text: null, hash: await putBlob(db, text) } : { text, hash: null };
}

function leaseLost({ attempt, lease, seq }: Issued): Error {
  return new Error(`effect ${seq} was not written: lease ${lease} does not hold attempt ${attempt} any more`);
}
