import type { AnyEffect } from "../effects/define-effect.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { argumentFailure, type EffectResult, effectFailure } from "../runs/effect-failure.ts";
import { measureJournal, requireSize } from "../runs/effect-limits.ts";
import type { EffectCall, EffectReply } from "../sandbox/types.ts";
import { createDeliveries, type Due } from "./deliveries.ts";
import { createMocks, type Mock } from "./mocks.ts";
import { createRecord, type RecordedAnswer } from "./recorded-answers.ts";
import { type KvMap, recordedKv } from "./recorded-kv.ts";
import type { AnswerSource } from "./rehearsal-report.ts";

/** One call of the guest with what answered it. `answer` is what the guest got. */
export type RehearsedCall = Readonly<{
  seq: number;
  op: string;
  argsJson: string;
  answeredBy: AnswerSource;
  answer: EffectResult;
}>;

export type AnswerOptions = Readonly<{
  effects: readonly AnyEffect[];
  job: string;
  manifest: Manifest;
  /** 32 hex digits; secrets' placeholders are derived from it. */
  seed: string;
  startMs: number;
  mocks: readonly Mock[];
  /** What a recorded run was answered; null where none stands behind this rehearsal. */
  recorded: readonly RecordedAnswer[] | null;
  onAnswered(call: RehearsedCall): void;
  /** The journal of a real run would be too long here: the call gets no answer. */
  onTooLong(message: string): void;
}>;

export type AnsweredEffects = Readonly<{
  onEffect(call: EffectCall, deliver: (reply: EffectReply) => void): Promise<void>;
  onQuiet(): void;
}>;

type Answer = Readonly<{ answeredBy: AnswerSource; answer: EffectResult; due: Due }>;

const now: Due = { kind: "now" };
/** The code of the error that a job gets for what nothing can answer. */
export const unknownCode = "unknown_in_rehearsal";

/**
 * Makes the functions that answer a rehearsed run's calls: what the manifest does not grant is refused as in a real run; then mocks
 * answer, then the record, then the effect itself from what it knows. Nothing is ever performed.
 */
export function answerEffects(options: AnswerOptions): AnsweredEffects {
  const { job, manifest, seed, recorded } = options;
  const table = new Map(options.effects.map((effect) => [effect.op, effect]));
  const mockFor = createMocks(options.mocks);
  const recordOf = createRecord(recorded ?? []);
  const overlay = recorded === null ? undefined : recordedKv(recorded);
  const overJournal = measureJournal(manifest.limits);
  const kv: KvMap = overlay?.kv ?? new Map();
  const deliveries = createDeliveries(
    options.startMs,
    (recorded ?? []).map(({ delivered }) => delivered),
  );

  async function answer({ seq, op, argsJson }: EffectCall): Promise<Answer> {
    const own = (result: EffectResult, due: Due = now): Answer => ({ answeredBy: "own", answer: result, due });
    const effect = table.get(op);
    const args: unknown = JSON.parse(argsJson);
    let prepared: ReturnType<AnyEffect["prepare"]>;
    try {
      if (effect === undefined) return own(failure(`No effect "${op}".`, "unsupported"));
      requireSize(op, argsJson, manifest.limits);
      prepared = effect.prepare(args, manifest);
    } catch (thrown) {
      return own(argumentFailure(op, thrown));
    }
    const mocked = mockFor(op, args);
    if (mocked !== undefined) return { answeredBy: "mock", answer: mocked, due: now };

    const found = recordOf(op, argsJson);
    const place: Due =
      found === undefined ? now : { kind: "record", delivered: found.delivered, guestMs: found.guestMs };
    const looked = op.startsWith("kv.") ? overlay?.look(op, args, found) : undefined;
    if (looked?.from === "nothing") return unknown(op);
    if (looked?.from === "record") return { answeredBy: "record", answer: { ok: true, json: looked.json }, due: place };
    if (looked === undefined && found !== undefined) {
      return { answeredBy: "record", answer: { ok: found.ok, json: found.json }, due: place };
    }

    const { rehearse } = prepared;
    if (rehearse === undefined) return unknown(op);
    let due: Due = place;
    const rehearsal = {
      job,
      manifest,
      seed,
      seq,
      kv,
      guestMs: deliveries.guestMs,
      advance(ms: number) {
        due = { kind: "time", ms: deliveries.guestMs() + ms };
      },
    };
    const result = await settleRehearsed(async () => rehearse(rehearsal));
    return { answeredBy: found === undefined ? "own" : "record", answer: result, due };
  }

  return {
    async onEffect(call, deliver) {
      const { answeredBy, answer: given, due } = await answer(call);
      const tooLong = overJournal(call, given.json);
      if (tooLong !== undefined) return options.onTooLong(tooLong);
      options.onAnswered({ ...call, answeredBy, answer: given });
      deliveries.add(due, !given.ok, (guestMs) => deliver({ ...given, guestMs }));
    },
    onQuiet: deliveries.quiet,
  };
}

async function settleRehearsed(rehearse: () => Promise<unknown>): Promise<EffectResult> {
  try {
    return { ok: true, json: JSON.stringify((await rehearse()) ?? null) };
  } catch (thrown) {
    return effectFailure(thrown);
  }
}

function unknown(op: string): Answer {
  const message = `${op} is not performed in a rehearsal, and neither a mock nor a recorded run answers it.`;
  return { answeredBy: "unknown", answer: failure(message, unknownCode), due: now };
}

function failure(message: string, code: string): EffectResult {
  return { ok: false, json: JSON.stringify({ name: "EffectError", message, code }) };
}
