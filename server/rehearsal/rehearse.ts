import type { AnyEffect } from "../effects/define-effect.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { attemptOutcome } from "../runs/attempt-outcome.ts";
import { effectLine } from "../runs/effect-text.ts";
import type { JournalEntry } from "../runs/read-journal.ts";
import type { RunEvent } from "../runs/triggers/run-event.ts";
import type { GuestRunInfo, Pool, SandboxOutcome } from "../sandbox/types.ts";
import { sha256 } from "../sha256.ts";
import { answerEffects, type RehearsedCall } from "./answer-effects.ts";
import type { Mock } from "./mocks.ts";
import { recordedAnswers } from "./recorded-answers.ts";
import type { RehearsalReport, RehearsedEffect } from "./rehearsal-report.ts";

/** What of a version a rehearsal needs. It need not be stored, nor approved. */
export type RehearsedVersion = Readonly<{
  job: string;
  /** 0 where it is not stored. */
  version: number;
  bundle: string;
  bundleHash: string;
  sourceMap: string | null;
  manifest: Manifest;
}>;

/** An attempt that answers for the outside. */
export type RecordedRun = Readonly<{
  info: GuestRunInfo;
  seed: string;
  startMs: number;
  journal: readonly JournalEntry[];
}>;

export type Rehearsal = Readonly<{
  version: RehearsedVersion;
  inputJson: string | null;
  /** What starts it; null for what started the recorded run, or for nothing. */
  event: RunEvent | null;
  mocks: readonly Mock[];
  recorded: RecordedRun | null;
  /** The guest's clock at its start, where no recorded run gives it. */
  startMs: number;
  signal: AbortSignal;
}>;

export type Rehearsed = Readonly<{
  report: RehearsalReport;
  /** The first calls, whole. */
  calls: readonly RehearsedCall[];
  outputJson: string | null;
}>;

/** Wall time that a rehearsal gets, and the runner's processor time. */
export const rehearsalMs = 10_000;
/** A rehearsal of unsigned code gets no more memory than this, whatever its manifest asks for. */
const mostMemoryMb = 512;
const mostEffects = 5_000;
const shownEffects = 200;
const keptChars = 8_000_000;
const shownArgsChars = 500;
const shownLines = 50;
const shownLineChars = 300;
const shownOutputChars = 4_000;

/**
 * Runs a version with every effect answered from mocks, a recorded run or what the effect itself knows, so that nothing happens: it
 * needs no approval. Its clock moves on over waits without waiting.
 */
export async function rehearse(
  deps: Readonly<{ pool: Pick<Pool, "run">; effects: readonly AnyEffect[] }>,
  { version, inputJson, event, mocks, recorded, startMs, signal }: Rehearsal,
): Promise<Rehearsed> {
  const { job, manifest, bundle, bundleHash, sourceMap } = version;
  const start = recorded ?? { seed: sha256(bundleHash).slice(-32), startMs };
  const known: GuestRunInfo = recorded?.info ?? {
    job,
    version: version.version,
    run: "R0",
    attempt: 1,
    trigger: "person",
    slot: null,
    event: null,
  };
  const info = event === null ? known : { ...known, trigger: event.kind, slot: null, event };
  const seen = collect();
  const stop = new AbortController();
  let tooLong: SandboxOutcome | undefined;
  const answers = recorded === null ? null : recordedAnswers(recorded.journal);
  const served = answerEffects({
    ...deps,
    job,
    manifest,
    ...{ seed: start.seed, startMs: start.startMs, mocks, recorded: answers },
    onAnswered: seen.onAnswered,
    onTooLong(message) {
      const nowhere = { stack: "", file: null, line: null, column: null };
      tooLong ??= {
        state: "limit_exceeded",
        limit: "journalBytes",
        error: { name: "LimitError", message, ...nowhere },
      };
      stop.abort();
    },
  });
  const limits = {
    ...manifest.limits,
    timeoutMs: Math.min(manifest.limits.timeoutMs, rehearsalMs),
    cpuMs: Math.min(manifest.limits.cpuMs, rehearsalMs),
    memoryMb: Math.min(manifest.limits.memoryMb, mostMemoryMb),
    effects: Math.min(manifest.limits.effects, mostEffects),
  };
  const ended = await deps.pool.run({
    ...{ bundle, bundleHash, sourceMap, inputJson, limits },
    info: { ...info, version: version.version },
    seed: start.seed,
    startMs: start.startMs,
    timezone: manifest.timezone,
    locale: manifest.locale,
    guestRuntime: null,
    onStart: async () => {},
    onEffect: served.onEffect,
    onQuiet: served.onQuiet,
    onLog: seen.onLog,
    // Waiting for a free runner counts too.
    signal: AbortSignal.any([signal, stop.signal, AbortSignal.timeout(rehearsalMs + 2_000)]),
  });
  const outcome = tooLong ?? ended;
  const outputJson = outcome.state === "succeeded" ? outcome.outputJson : null;
  const output = outputJson === null ? null : clip(outputJson, shownOutputChars);
  return {
    report: { state: outcome.state, ...seen.report(), output, error: errorText(outcome) },
    calls: seen.calls,
    outputJson,
  };
}

/** Gathers what a rehearsed run does, up to what a report shows. */
function collect() {
  const calls: RehearsedCall[] = [];
  const effects: RehearsedEffect[] = [];
  const log: { level: "debug" | "info" | "warn" | "error"; text: string }[] = [];
  let chars = 0;
  let effectCount = 0;
  let logCount = 0;
  let unknownFrom: number | null = null;
  return {
    calls,
    onAnswered(call: RehearsedCall) {
      effectCount += 1;
      if (call.answeredBy === "unknown") unknownFrom = Math.min(unknownFrom ?? call.seq, call.seq);
      chars += call.argsJson.length + call.answer.json.length;
      if (chars <= keptChars) calls.push(call);
      if (effects.length < shownEffects) effects.push(shownEffect(call));
    },
    onLog({ level, text }: (typeof log)[number]) {
      logCount += 1;
      if (log.length < shownLines) log.push({ level, text: clip(text, shownLineChars) });
    },
    report: () => ({ effects: effects.sort((a, b) => a.seq - b.seq), effectCount, unknownFrom, log, logCount }),
  };
}

function shownEffect({ seq, op, argsJson, answeredBy, answer }: RehearsedCall): RehearsedEffect {
  const argsText = clip(effectLine({ op, argsJson }).slice(op.length + 1), shownArgsChars);
  const shown = { seq, op, argsText, answeredBy };
  return answer.ok ? shown : { ...shown, error: clip(messageIn(answer.json), shownLineChars) };
}

function messageIn(json: string): string {
  const error: unknown = JSON.parse(json);
  const has = typeof error === "object" && error !== null && "message" in error;
  return has ? String(error.message) : json;
}

function errorText(outcome: SandboxOutcome): string | null {
  if (outcome.state === "cancelled") return `It was stopped: a rehearsal gets ${rehearsalMs / 1_000} s.`;
  const { error } = attemptOutcome(outcome);
  if (error === null) return null;
  const place = error.file === undefined ? "" : ` (${error.file}:${error.line ?? 1})`;
  const bound = outcome.state === "timed_out" ? ` A rehearsal gets ${rehearsalMs / 1_000} s at most.` : "";
  return clip(`${error.name === undefined ? "" : `${error.name}: `}${error.message}${place}${bound}`, shownOutputChars);
}

function clip(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}…`;
}
