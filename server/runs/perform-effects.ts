import { z } from "zod";
import type { AnyEffect, EffectContext } from "../effects/define-effect.ts";
import { messageOf, UserError } from "../errors.ts";
import type { EffectCall, EffectReply } from "../sandbox/types.ts";
import type { Db } from "../store/open-store.ts";
import { type Issued, recordDone, recordIntent } from "./journal.ts";

export type EffectsOptions = Readonly<{
  db: Db;
  effects: readonly AnyEffect[];
  context: Omit<EffectContext, "db" | "seq">;
  startMs: number;
  /** Throws where the approval does not hold any more. Asked before every unsafe effect. */
  recheck(): Promise<void>;
}>;

type Result = Readonly<{ ok: boolean; json: string }>;

export type PerformedEffects = Readonly<{
  onEffect(call: EffectCall): Promise<EffectReply>;
  /** Settles when nothing is in flight any more. */
  idle(): Promise<void>;
}>;

/**
 * Makes the function that serves a run's calls: each is checked, performed and journalled before the guest sees its result.
 * It rejects, and so ends the attempt with nothing delivered, where the journal cannot be written or `recheck` throws.
 */
export function performEffects(options: EffectsOptions): PerformedEffects {
  const { db, context } = options;
  const table = new Map(options.effects.map((effect) => [effect.op, effect]));
  let delivered = 0;
  let guestMs = options.startMs;
  let lane: Promise<unknown> = Promise.resolve();
  const inFlight = new Set<Promise<unknown>>();

  /** Deliveries are numbered and committed one after the other, so that their order in the journal is what the guest saw. */
  function inLane<T>(deliver: () => Promise<T>): Promise<T> {
    const next = lane.then(deliver);
    lane = next.catch(() => {});
    return next;
  }

  async function finish(trx: Db, issued: Issued, { ok, json }: Result): Promise<EffectReply> {
    const endedAt = context.clock();
    guestMs = Math.max(guestMs, endedAt.getTime());
    delivered += 1;
    await recordDone(trx, issued, { outcome: ok ? "ok" : "error", result: json, delivered, guestMs, endedAt });
    const ms = endedAt.getTime() - issued.startedAt.getTime();
    context.log.debug({ seq: issued.seq, op: issued.op, ok, ms }, "effect");
    return { ok, json, guestMs };
  }

  /** Our own effects change the store in one transaction with their journal row. */
  async function performOwn(
    issued: Issued,
    perform: (context: EffectContext) => Promise<unknown>,
  ): Promise<EffectReply> {
    let refused: Result | undefined;
    try {
      return await db.transaction().execute(async (trx) => {
        await requireLease(trx, issued);
        const result = await attempt(() => perform({ ...context, db: trx, seq: issued.seq }));
        if (!result.ok) {
          refused = result;
          throw new Error("rolled back: the effect failed");
        }
        return finish(trx, issued, result);
      });
    } catch (thrown) {
      if (refused) return finish(db, issued, refused);
      throw thrown;
    }
  }

  async function serve({ seq, op, argsJson }: EffectCall): Promise<EffectReply> {
    const { runId, attempt: runAttempt } = context;
    const issued = { runId, attempt: runAttempt, seq, op, args: argsJson, safe: true, startedAt: context.clock() };
    const effect = table.get(op);
    if (!effect) return inLane(() => finish(db, issued, failure(new UserError("unsupported", `No effect "${op}".`))));
    let prepared: ReturnType<AnyEffect["prepare"]>;
    try {
      prepared = effect.prepare(JSON.parse(argsJson));
    } catch (thrown) {
      return inLane(() => finish(db, issued, failure(asArgumentError(op, thrown))));
    }
    if (effect.own) return inLane(() => performOwn(issued, prepared.perform));
    const known = { ...issued, safe: prepared.safe };
    if (!prepared.safe) {
      await options.recheck();
      await recordIntent(db, known);
    }
    const result = await attempt(() => prepared.perform({ ...context, db, seq }));
    if (context.signal.aborted) {
      // Cut off: nobody saw a result, and an unsafe effect may or may not have happened, which its intent says.
      if (prepared.safe) await recordIntent(db, known);
      throw context.signal.reason;
    }
    return inLane(() => finish(db, known, result));
  }

  return {
    onEffect(call) {
      const reply = serve(call);
      inFlight.add(reply);
      reply.catch(() => {}).finally(() => inFlight.delete(reply));
      return reply;
    },
    async idle() {
      await Promise.allSettled(inFlight);
    },
  };
}

/** Throws where another worker has the run by now, so that a stale one changes nothing. */
async function requireLease(trx: Db, { runId, attempt }: Issued): Promise<void> {
  const held = await trx
    .selectFrom("runs")
    .select("id")
    .where("id", "=", runId)
    .where("attempt", "=", attempt)
    .where("state", "=", "running")
    .forShare()
    .executeTakeFirst();
  if (!held) throw new Error(`attempt ${attempt} does not hold the run any more`);
}

async function attempt(perform: () => Promise<unknown>): Promise<Result> {
  try {
    return { ok: true, json: JSON.stringify((await perform()) ?? null) };
  } catch (thrown) {
    return failure(thrown);
  }
}

/**
 * The error as the job sees and can catch it: our own, a failed fetch (a TypeError with a cause or none), or an abort.
 * Anything else is a bug or the store's trouble. It is thrown on, which ends the attempt with nothing delivered.
 */
function failure(thrown: unknown): Result {
  if (!(thrown instanceof UserError)) {
    if (!(thrown instanceof Error) || !(visible.test(thrown.name) || isFetchFailure(thrown))) throw thrown;
    return { ok: false, json: JSON.stringify({ name: thrown.name, message: thrown.message }) };
  }
  const { code, next } = thrown;
  const name = code === "permission_denied" ? "PermissionError" : "EffectError";
  return {
    ok: false,
    json: JSON.stringify({ name, message: next ? `${thrown.message} ${next}` : thrown.message, code }),
  };
}

const visible = /^(Abort|Timeout)Error$/;

function isFetchFailure(thrown: Error): boolean {
  return thrown.name === "TypeError" && thrown.message.startsWith("fetch failed");
}

function asArgumentError(op: string, thrown: unknown): UserError {
  const detail = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
  return new UserError("invalid_argument", `${op}: ${detail}`);
}
