import { z } from "zod";
import { UserError } from "../errors.ts";
import { attemptOutcome } from "../runs/attempt-outcome.ts";
import { checkInput } from "../runs/check-input.ts";
import { playJournal } from "../runs/play-journal.ts";
import type { RunError } from "../runs/run-error.ts";
import type { LogLine, Pool, SandboxOutcome } from "../sandbox/types.ts";
import type { Db } from "../store/open-store.ts";
import { storableText } from "../store/text.ts";
import { readRehearsedVersion } from "./read-version.ts";
import { type ReadRun, readRecordedRun } from "./recorded-run.ts";

/** What came of doing an attempt once more. Every text in it but `run` is foreign. */
export const replayResultSchema = z.object({
  /** Such as `R152`. */
  run: z.string(),
  attempt: z.int(),
  /** How the attempt ended then. */
  state: z.string(),
  /** `identical_so_far`: it was cut off from outside then, and did the same up to there. */
  verdict: z.enum(["identical", "identical_so_far", "differs"]),
  /** The first thing that was not the same; null where all was. */
  difference: z.string().nullable(),
  effects: z.int(),
  logLines: z.int(),
});

export type ReplayResult = z.infer<typeof replayResultSchema>;

type Deps = Readonly<{ db: Db; pool: Pick<Pool, "run" | "runtimes"> }>;

/** Wall time of a replay: nothing in it waits. */
const longestMs = 60_000;

/**
 * Does an attempt again, offline and strictly from its journal: every answer in the order in which it came, with the same seed,
 * clock, version and guest runtime. Throws `run_not_found`, `invalid_argument`, `unsupported` where that runtime is gone.
 */
export async function replayRun(
  { db, pool }: Deps,
  { run: handle, attempt: number, signal }: { run: string; attempt?: number | undefined; signal: AbortSignal },
): Promise<ReplayResult> {
  const recorded = await readRecordedRun(db, handle, number);
  const { run, attempt, info, seed, startMs, journal } = recorded;
  if (attempt.version === null || attempt.guest_runtime === null) {
    throw new UserError("invalid_argument", `${info.run} did not get as far as a runner: there is nothing to replay.`);
  }
  const guestRuntime = attempt.guest_runtime;
  if (!pool.runtimes().includes(guestRuntime)) {
    const message = `${info.run} ran on the guest runtime ${guestRuntime}, which this JobRunner does not have any more.`;
    throw new UserError("unsupported", message);
  }
  const { bundle, bundleHash, sourceMap, manifest } = await readRehearsedVersion(db, run.job, attempt.version);
  const input = checkInput(manifest.input, run.input === null ? undefined : JSON.parse(run.input));
  const player = playJournal(journal);
  const stop = new AbortController();
  const lines: LogLine[] = [];
  let difference: string | undefined;
  let waitsFor: string | undefined;
  const conclude = (found?: string) => {
    difference ??= found;
    stop.abort();
  };
  const outcome = await pool.run({
    ...{ bundle, bundleHash, sourceMap, info, seed, startMs, guestRuntime },
    inputJson: input.ok ? input.json : run.input,
    timezone: manifest.timezone,
    locale: manifest.locale,
    limits: { ...manifest.limits, timeoutMs: Math.min(manifest.limits.timeoutMs, longestMs) },
    onStart: async () => {},
    async onEffect(call, deliver) {
      const match = player.play(call, deliver);
      if (match.kind === "differs") conclude(match.message);
      // What was in flight when it ended is on record without a result, or not at all: it stays in flight.
      if (match.kind === "new" || match.kind === "intent") waitsFor ??= `effect ${call.seq} (${call.op})`;
    },
    onQuiet() {
      const missing = player.missing();
      if (missing !== undefined) conclude(missing);
      else if (player.isComplete()) conclude();
    },
    onLog: (line) => lines.push(line),
    signal: AbortSignal.any([signal, stop.signal]),
  });
  signal.throwIfAborted();
  const isCut = wasCutOff(recorded);
  const found =
    difference ??
    (await logDifference(db, recorded, lines, isCut)) ??
    (isCut ? undefined : (endDifference(recorded, outcome, waitsFor) ?? player.missing()));
  return {
    run: info.run,
    attempt: attempt.attempt,
    state: attempt.state,
    verdict: found !== undefined ? "differs" : isCut ? "identical_so_far" : "identical",
    difference: found ?? null,
    effects: journal.length,
    logLines: lines.length,
  };
}

const errorSchema = z.object({ reason: z.string(), message: z.string(), line: z.number().optional() });
/** Reasons of a failure that came from the job itself, and so come again. */
const ownReasons: readonly string[] = [
  "threw",
  "fetch_failed",
  "call_failed",
  "call_refused",
  "call_timeout",
  "input",
  "never_settles",
  "permission_denied",
] satisfies RunError["reason"][];

function wasCutOff({ attempt }: ReadRun): boolean {
  if (attempt.state === "succeeded") return false;
  return attempt.state !== "failed" || !ownReasons.includes(errorOf(attempt.error)?.reason ?? "");
}

function errorOf(json: string | null): z.infer<typeof errorSchema> | undefined {
  return json === null ? undefined : errorSchema.safeParse(JSON.parse(json)).data;
}

/** Where it was cut off then, either log may be the longer one. */
async function logDifference(db: Db, { run, attempt }: ReadRun, now: readonly LogLine[], isCut: boolean) {
  const then = await db
    .selectFrom("run_logs")
    .selectAll()
    .where("run_id", "=", run.id)
    .where("attempt", "=", attempt.attempt)
    .orderBy("n")
    .execute();
  const length = isCut ? Math.min(then.length, now.length) : Math.max(then.length, now.length);
  for (let i = 0; i < length; i++) {
    const [before, after] = [then[i], now[i]];
    const was = before === undefined ? "nothing" : lineText(before.level, before.text, before.at.getTime());
    const is = after === undefined ? "nothing" : lineText(after.level, storableText(after.text), after.guestMs);
    if (was !== is) return `Line ${i + 1} of the log was ${was}, and is ${is}.`;
  }
  return undefined;
}

function lineText(level: string, text: string, atMs: number): string {
  return `${new Date(atMs).toISOString()} ${level} ${JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text)}`;
}

function endDifference({ run, attempt }: ReadRun, outcome: SandboxOutcome, waitsFor: string | undefined) {
  if (outcome.state === "cancelled" && waitsFor !== undefined) {
    return `It ended as ${attempt.state}, and now waits for ${waitsFor}, whose result is not on record.`;
  }
  const { state, output, error } = attemptOutcome(outcome);
  if (state !== attempt.state)
    return `It ended as ${attempt.state}, and now as ${state}: ${error?.message ?? "no error"}`;
  if (state === "succeeded") {
    // Only the last attempt's output is kept.
    const isLast = run.attempt === attempt.attempt;
    return !isLast || run.output === output ? undefined : `Its output was ${clip(run.output)}, and is ${clip(output)}.`;
  }
  const was = errorOf(attempt.error);
  if (was?.message === error?.message && was?.line === error?.line) return undefined;
  return `Its error was ${clip(was?.message ?? null)}, and is ${clip(error?.message ?? null)}.`;
}

function clip(text: string | null): string {
  if (text === null) return "nothing";
  return text.length <= 300 ? text : `${text.slice(0, 300)}…`;
}
