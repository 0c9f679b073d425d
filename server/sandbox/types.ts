/*
 * What the sandbox promises to the rest of the program.
 *
 * Shape of a bundle: one CommonJS script (esbuild `format: "cjs"`, `platform: "neutral"`, `external: ["jobrunner"]`),
 * without a `sourceMappingURL` comment. It is run as the body of `(function (require, module, exports) { … })`, the
 * opening on the first line of the bundle itself and its column discounted, so line and column numbers are those of the
 * bundle. `require` answers "jobrunner" alone. The job is `module.exports.default`: what `defineJob` returned.
 * The source map is the JSON that esbuild writes beside it; its `sources` should be paths relative to the jobs folder.
 */

/** One call of the guest to the outside, numbered from 1 in order of issue. */
export type EffectCall = Readonly<{ seq: number; op: string; argsJson: string }>;

/**
 * What the guest gets for a call: `json` is the result, or `{name, message, code}` of the error that it throws.
 * From the delivery on the guest's clock shows `guestMs` (milliseconds since the epoch; it never goes back).
 */
export type EffectReply = Readonly<{ ok: boolean; json: string; guestMs: number }>;

/** A reply that is on record. */
export type RecordedReply = EffectReply & Readonly<{ seq: number }>;

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line of the job's log, numbered from 1; not an effect. */
export type LogLine = Readonly<{ n: number; level: LogLevel; text: string; guestMs: number }>;

/** An error of the job. Positions are those of the source, or null where the error has none; the stack is limited. */
export type GuestError = Readonly<{
  name: string;
  message: string;
  stack: string;
  file: string | null;
  line: number | null;
  column: number | null;
  /** Of a call that failed; or what the job has put there. */
  code?: string | undefined;
  /** Thrown as PermanentError: trying again cannot help. */
  permanent?: boolean | undefined;
}>;

/** Which process runs the job, and the versions that decide whether a journal can be resumed on it. */
export type RunnerInfo = Readonly<{ pid: number; guestRuntime: string; v8: string; icu: string }>;

/** What the job sees as `run`. */
export type GuestRunInfo = Readonly<{
  job: string;
  version: number;
  run: string;
  attempt: number;
  trigger: string;
  slot: string | null;
  /** Plain JSON: what started it, where that was a trigger. */
  event: Readonly<{ kind: string }> | null;
}>;

/** Limits of one run, as in the manifest. */
export type SandboxLimits = Readonly<{
  timeoutMs: number;
  cpuMs: number;
  memoryMb: number;
  logBytes: number;
  effects: number;
  inFlight: number;
}>;

/**
 * One attempt to run a bundle. `onStart` is called at once when a runner took it; no line, no effect and no outcome is passed on
 * before its promise is settled. When a callback throws, the runner is killed and `Pool.run` throws the same.
 */
export type SandboxRun = Readonly<{
  bundle: string;
  bundleHash: string;
  sourceMap: string | null;
  inputJson: string | null;
  info: GuestRunInfo;
  /** 32 hex digits. */
  seed: string;
  startMs: number;
  timezone: string;
  locale: string;
  limits: SandboxLimits;
  /** The guest runtime to run on, one of `Pool.runtimes()`; null for the newest. */
  guestRuntime: string | null;
  onStart(info: RunnerInfo): Promise<void>;
  /**
   * Replies that the guest gets first, in this order, each as soon as it has issued its call: the runner has them ahead, so that
   * going on from a journal costs no way there and back per effect. `onEffect` is told of these calls too, and delivers the same.
   */
  recorded?: readonly RecordedReply[];
  /** Replies reach the guest in the order in which `deliver` is called, one at a time, each when the isolate is quiet. */
  onEffect(call: EffectCall, deliver: (reply: EffectReply) => void): Promise<void>;
  /**
   * The guest does nothing until a reply is delivered: every call that it has issued was passed to `onEffect`. Told at most once
   * after each time that something was issued or delivered, and about 20 ms later.
   */
  onQuiet?(): void;
  onLog(line: LogLine): void;
  /** Aborting it kills the runner at once; the outcome is `cancelled`. */
  signal: AbortSignal;
}>;

/** How a run ended. Every state but these is a bug and is thrown. */
export type SandboxOutcome = Readonly<
  | { state: "succeeded"; outputJson: string | null }
  | { state: "failed"; error: GuestError }
  | { state: "timed_out"; limit: "timeout" | "cpu"; afterMs: number }
  | { state: "out_of_memory"; limitMb: number }
  | { state: "crashed"; detail: string }
  | { state: "limit_exceeded"; limit: string; error: GuestError }
  | { state: "cancelled" }
>;

export type DeclarationRequest = Readonly<{
  bundle: string;
  bundleHash: string;
  sourceMap: string | null;
  timezone: string;
  locale: string;
}>;

/** `json` is what `defineJob` got, as plain data: functions dropped, `input` as JSON Schema or null. */
export type Declaration = Readonly<{ ok: true; json: string } | { ok: false; error: GuestError }>;

/** Runner processes, warm and busy. Disposing kills them all. */
export type Pool = Readonly<{
  /** Runs a bundle in a process of its own; waits while all runners are busy. */
  run(run: SandboxRun): Promise<SandboxOutcome>;
  /** Evaluates a bundle without any effect and reads what it declares. */
  declaration(request: DeclarationRequest): Promise<Declaration>;
  /** Version of the guest runtime: it changes whenever its code does. */
  guestRuntime: string;
  /** Versions of the guest runtime that can be run here, the newest first. */
  runtimes(): readonly string[];
  stats(): { idle: number; busy: number };
  [Symbol.asyncDispose](): Promise<void>;
}>;
