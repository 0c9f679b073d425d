import type { AnyEffect, EffectContext, PreparedEffect } from "../effects/define-effect.ts";
import { UserError } from "../errors.ts";
import type { EffectCall, EffectReply, RecordedReply } from "../sandbox/types.ts";
import type { Db } from "../store/open-store.ts";
import type { AttemptVerdict } from "./attempt-verdict.ts";
import { argumentFailure, type EffectResult, effectFailure, settleEffect } from "./effect-failure.ts";
import { measureJournal, requireSize } from "./effect-limits.ts";
import { createTail } from "./effect-progress.ts";
import { type Issued, recordDone, recordIntent } from "./journal.ts";
import { playJournal } from "./play-journal.ts";
import type { JournalEntry } from "./read-journal.ts";
import { createSuspension } from "./suspension.ts";

export type EffectsOptions = Readonly<{
  db: Db;
  effects: readonly AnyEffect[];
  context: Omit<EffectContext, "db" | "seq" | "startedAt" | "progress" | "signal">;
  /** The fencing token of the claim. */
  lease: number;
  startMs: number;
  /** The attempt's journal so far, whole: empty where it starts anew. */
  journal: readonly JournalEntry[];
  /** Whether an effect that is not safe, and that a crash cut off, happens again. Asked once, just before it would. */
  uncertain(seq: number): Promise<"repeat" | "skip">;
  /** Throws where the approval does not hold any more. Asked before every unsafe effect. */
  recheck(): Promise<void>;
}>;

/** One for all, since a new one takes a stack each time that a run ends. */
const cutOff = new DOMException("The attempt ended while this was in flight.", "AbortError");

type Deliver = (reply: EffectReply) => void;

export type PerformedEffects = Readonly<{
  /** What the guest saw before, in order. */
  recorded: readonly RecordedReply[];
  onEffect(call: EffectCall, deliver: Deliver): Promise<void>;
  onQuiet(): void;
  /** Aborted when a verdict ends the attempt. */
  stopped: AbortSignal;
  /** What ended the attempt from this side; undefined where the job itself did. */
  verdict(): AttemptVerdict | undefined;
  /** What is on record and was not asked for although the job has ended; undefined where it all was. */
  unplayed(): string | undefined;
  /** Cuts off what is still in flight, and settles when it has left its intent. */
  end(): Promise<void>;
}>;

/**
 * Makes the functions that serve a run's calls. What is on record is answered from there, in the order in which it was delivered;
 * then each call is checked, performed and journalled before the guest sees its result. `onEffect` rejects, and so ends the attempt
 * with nothing delivered, where the journal cannot be written.
 */
export function performEffects(options: EffectsOptions): PerformedEffects {
  const { db, context, journal } = options;
  const { limits } = context.manifest;
  const table = new Map(options.effects.map((effect) => [effect.op, effect]));
  const player = playJournal(journal);
  const stop = new AbortController();
  const ended = new AbortController();
  const inFlight = new Set<Promise<unknown>>();
  const suspension = createSuspension(context.clock, (wakeAt) => conclude({ state: "suspended", wakeAt }));
  let verdict: AttemptVerdict | undefined;
  let { delivered, guestMs } = player.recorded.at(-1) ?? { delivered: 0, guestMs: options.startMs };
  const overJournal = measureJournal(
    limits,
    journal.reduce((sum, entry) => sum + entry.argsJson.length + (entry.resultJson?.length ?? 0), 0),
  );
  let lane: Promise<unknown> = Promise.resolve();

  function conclude(found: AttemptVerdict): void {
    if (verdict !== undefined || ended.signal.aborted) return;
    verdict = found;
    stop.abort(cutOff);
    ended.abort(cutOff);
  }

  /** Deliveries are numbered and committed one after the other, so that their order in the journal is what the guest saw. */
  function inLane<T>(deliver: () => Promise<T>): Promise<T> {
    const next = lane.then(deliver);
    lane = next.catch(() => {});
    return next;
  }

  async function finish(trx: Db, issued: Issued, { ok, json }: EffectResult): Promise<EffectReply> {
    stop.signal.throwIfAborted();
    const message = overJournal({ ...issued, argsJson: issued.args }, json);
    if (message !== undefined) {
      conclude({ state: "limit", limit: "journalBytes", message });
      throw cutOff;
    }
    const endedAt = context.clock();
    const shown = Math.max(guestMs, endedAt.getTime());
    const outcome = ok ? "ok" : "error";
    await recordDone(trx, issued, { outcome, result: json, delivered: delivered + 1, guestMs: shown, endedAt });
    const ms = endedAt.getTime() - issued.startedAt.getTime();
    context.log.debug({ seq: issued.seq, op: issued.op, ok, ms }, "effect");
    return { ok, json, guestMs: shown };
  }

  /** Hands a committed answer to the guest. Within the lane, so that the numbers follow each other. */
  function hand(reply: EffectReply, deliver: Deliver): void {
    delivered += 1;
    guestMs = reply.guestMs;
    suspension.active();
    deliver(reply);
  }

  function answer(issued: Issued, result: EffectResult, deliver: Deliver): Promise<void> {
    return inLane(async () => hand(await finish(db, issued, result), deliver));
  }

  /** Our own effects change the store in one transaction with their journal row. */
  async function performOwn(issued: Issued, prepared: PreparedEffect): Promise<EffectReply> {
    let refused: EffectResult | undefined;
    try {
      return await db.transaction().execute(async (trx) => {
        const result = await settleEffect(() => prepared.perform(contextOf(trx, issued)));
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

  /** Our own, so its intent and what it begins with stand or fall together. */
  async function beginWaiting(issued: Issued, prepared: PreparedEffect): Promise<void> {
    await db.transaction().execute(async (trx) => {
      await recordIntent(trx, issued);
      await prepared.begin(contextOf(trx, issued));
    });
  }

  function contextOf(trx: Db, issued: Issued, progress: (tail: string) => void = () => {}): EffectContext {
    return { ...context, db: trx, seq: issued.seq, startedAt: issued.startedAt, signal: ended.signal, progress };
  }

  async function performOutside(issued: Issued, prepared: PreparedEffect, deliver: Deliver): Promise<void> {
    const tail = createTail(db, issued);
    const result = await settleEffect(() => prepared.perform(contextOf(db, issued, tail.show))).finally(tail.settle);
    if (ended.signal.aborted) {
      // Nobody saw a result, and an unsafe effect may or may not have happened, which its intent says.
      if (issued.safe) await recordIntent(db, issued);
      throw cutOff;
    }
    await answer(issued, result, deliver);
  }

  async function serve(call: EffectCall, deliver: Deliver): Promise<void> {
    const match = player.play(call, (reply) => {
      suspension.active();
      deliver(reply);
    });
    if (match.kind === "done") return;
    if (match.kind === "differs") return conclude({ state: "nondeterminism", message: match.message });
    // The guest must have seen everything that it saw before the cut, and nothing else, before it sees anything new.
    await Promise.race([player.complete, aborted(ended.signal)]);
    ended.signal.throwIfAborted();

    const { seq, op, argsJson } = call;
    const { runId, attempt } = context;
    const intent = match.kind === "intent" ? match.entry : undefined;
    const startedAt = intent?.startedAt ?? context.clock();
    const issued = { runId, attempt, lease: options.lease, seq, op, args: argsJson, safe: true, startedAt };
    const effect = table.get(op);
    if (effect === undefined) {
      return answer(issued, effectFailure(new UserError("unsupported", `No effect "${op}".`)), deliver);
    }
    let prepared: PreparedEffect;
    try {
      requireSize(op, argsJson, limits);
      prepared = effect.prepare(JSON.parse(argsJson), context.manifest);
    } catch (thrown) {
      return answer(issued, argumentFailure(op, thrown), deliver);
    }
    if (effect.kind === "own") {
      return suspension.holds(inLane(async () => hand(await performOwn(issued, prepared), deliver)));
    }
    if (effect.kind === "waiting") {
      if (intent === undefined) await beginWaiting(issued, prepared);
      const waits = suspension.waits(() => prepared.wakeAt(startedAt, context.clock()));
      return performOutside(issued, prepared, deliver).finally(waits.end);
    }
    const known = { ...issued, safe: prepared.safe };
    if (known.safe) return suspension.holds(performOutside(known, prepared, deliver));
    if (intent !== undefined && (await options.uncertain(seq)) === "skip")
      return answer(known, skipped(known), deliver);
    return suspension.holds(performUnsafe(known, prepared, deliver));
  }

  async function performUnsafe(issued: Issued, prepared: PreparedEffect, deliver: Deliver): Promise<void> {
    try {
      await options.recheck();
    } catch (thrown) {
      if (!(thrown instanceof UserError)) throw thrown;
      return conclude({ state: "denied", code: thrown.code, message: thrown.message });
    }
    await recordIntent(db, issued);
    ended.signal.throwIfAborted();
    await performOutside(issued, prepared, deliver);
  }

  return {
    recorded: player.recorded,
    onEffect(call, deliver) {
      suspension.active();
      const served = serve(call, deliver).catch((thrown) => {
        // What was cut off has told the journal; the verdict or the job's own end tells the rest.
        if (!ended.signal.aborted) throw thrown;
      });
      inFlight.add(served);
      served.catch(() => {}).finally(() => inFlight.delete(served));
      return served;
    },
    onQuiet() {
      const message = player.missing();
      if (message !== undefined) conclude({ state: "nondeterminism", message });
      else if (player.isComplete()) suspension.quiet();
    },
    stopped: stop.signal,
    verdict: () => verdict,
    unplayed: () => (player.isComplete() ? undefined : (player.missing() ?? "Not all of its journal was delivered.")),
    async end() {
      suspension.active();
      ended.abort(cutOff);
      await Promise.allSettled(inFlight);
    },
  };
}

function skipped({ seq, op }: Issued): EffectResult {
  return effectFailure(
    new UserError(
      "uncertain",
      `${op} (effect ${seq}) was cut off by a crash, and whether it happened is not known. It is not repeated.`,
    ),
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
