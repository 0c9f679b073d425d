import type { ChildMessage, ChildOutcome } from "./protocol.ts";
import { createQuietProbe } from "./quiet-probe.ts";
import type { Runner, RunnerExit } from "./runner-process.ts";
import { sendAhead } from "./send-ahead.ts";
import type { EffectCall, LogLine, RecordedReply, SandboxLimits, SandboxRun } from "./types.ts";
import { startWatchdog } from "./watchdog.ts";

/** How the runner's part ended, before positions are mapped. */
export type ServedOutcome =
  | ChildOutcome
  | { state: "timed_out"; limit: "timeout" | "cpu"; afterMs: number }
  | { state: "crashed"; detail: string }
  | { state: "cancelled" };

export type ServeOptions = Readonly<{
  bundle: string;
  /** JSON of the guest's BootConfig. */
  configJson: string;
  timezone: string;
  /** Whether the job names zod. */
  zod: boolean;
  limits: SandboxLimits;
  /** Called once the runner has its task. The log, effects and the outcome wait for its promise. */
  onStart(): Promise<void>;
  recorded: readonly RecordedReply[];
  onEffect: SandboxRun["onEffect"];
  onQuiet: SandboxRun["onQuiet"];
  onLog(line: LogLine): void;
  signal: AbortSignal;
}>;

/** Most characters of arguments that this process holds for one run. */
const maxHeldChars = 100_000_000;
const outOfMemoryText =
  /out of memory|Allocation failed|invalid table size|invalid array length|Cannot create a handle/i;

const tooMuchHeld: ServedOutcome = {
  state: "limit_exceeded",
  limit: "argumentsInFlight",
  error: {
    name: "LimitError",
    message: `the arguments of the calls in flight have more than ${maxHeldChars} characters: await some before making more`,
    stack: "",
  },
};

/**
 * Runs one bundle on a runner. Whatever ends it but an ordinary outcome kills the runner; the promise settles when the
 * process is gone or free for the next run, so a caller never sees it alive and spoiled.
 */
export async function serveRun(runner: Runner, options: ServeOptions): Promise<ServedOutcome> {
  const { limits, signal } = options;
  const ended = Promise.withResolvers<ServedOutcome>();
  const counts = { effects: 0, inFlight: 0, heldChars: 0, lines: 0, logChars: 0 };
  let over = false;

  const end = (outcome: ServedOutcome) => {
    if (over) return;
    over = true;
    const reusable = outcome.state === "succeeded" || outcome.state === "failed";
    if (reusable) ended.resolve(outcome);
    else void runner.kill().then(() => ended.resolve(outcome));
  };
  const abort = (reason: unknown) => {
    if (over) return;
    over = true;
    void runner.kill().then(() => ended.reject(reason));
  };
  const forged = (what: string) => end({ state: "crashed", detail: `the runner broke the protocol: ${what}` });

  let started = false;
  const waiting: (() => void)[] = [];
  /** In order: all that the guest said and called before its end is passed on before the end is. */
  const whenStarted = (act: () => void) => void (started ? act() : waiting.push(act));
  const perform = async (call: EffectCall) => {
    try {
      if (over) return;
      let answered = false;
      await options.onEffect(call, (reply) => {
        if (over || answered) return;
        answered = true;
        counts.inFlight--;
        counts.heldChars -= call.argsJson.length;
        quiet.active();
        if (!ahead.has(call.seq)) runner.send({ type: "reply", seq: call.seq, ...reply });
      });
    } catch (thrown) {
      abort(thrown);
    }
  };

  const ahead = sendAhead(options.recorded, (reply) => runner.send({ type: "reply", ...reply }));
  const onMessage = (message: ChildMessage) => {
    if (over) return;
    switch (message.type) {
      case "ready":
        return;
      case "log": {
        const { n, level, text, guestMs } = message;
        counts.lines++;
        counts.logChars += text.length;
        if (n !== counts.lines) return forged("a log line out of order");
        if (counts.logChars > limits.logBytes) return forged("more log than the limit");
        return whenStarted(() => options.onLog({ n, level, text, guestMs }));
      }
      case "effect": {
        const { seq, op, argsJson } = message;
        counts.effects++;
        counts.inFlight++;
        quiet.active();
        if (seq !== counts.effects) return forged("a call out of order");
        if (counts.effects > limits.effects || counts.inFlight > limits.inFlight)
          return forged("more calls than the limit");
        counts.heldChars += argsJson.length;
        if (counts.heldChars > maxHeldChars) return end(tooMuchHeld);
        return whenStarted(() => void perform({ seq, op, argsJson }));
      }
      case "pong":
        return quiet.answered(message.n);
      case "done":
        return whenStarted(() => end(message.outcome));
      default:
        return message satisfies never;
    }
  };

  const quiet = createQuietProbe({
    ping: (n) => runner.send({ type: "ping", n }),
    onQuiet: () => {
      // Before the start is on record, calls that were made have not been passed on.
      if (started && !over && counts.inFlight > 0) options.onQuiet?.();
    },
  });
  const onAbort = () => end({ state: "cancelled" });
  const watchdog = startWatchdog({
    pid: runner.pid,
    limits,
    onTimeout: () => end({ state: "timed_out", limit: "timeout", afterMs: limits.timeoutMs }),
    onCpu: () => end({ state: "timed_out", limit: "cpu", afterMs: limits.cpuMs }),
    onMemory: () => end({ state: "out_of_memory" }),
  });
  runner.attach({
    onMessage: (message) => {
      try {
        onMessage(message);
      } catch (thrown) {
        abort(thrown);
      }
    },
    onForgery: () => forged("a message of no known form"),
    onExit: (exit) => end(outcomeOfExit(exit)),
  });
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  else {
    const { timezone, bundle, configJson } = options;
    runner.send({ type: "start", timezone, memoryMb: limits.memoryMb, zod: options.zod, bundle, configJson });
  }
  const onRecord = options.onStart();
  onRecord.then(() => {
    started = true;
    ahead.begin();
    for (const act of waiting) act();
    quiet.active();
  }, abort);
  try {
    const outcome = await ended.promise;
    await onRecord;
    return outcome;
  } finally {
    watchdog[Symbol.dispose]();
    quiet[Symbol.dispose]();
    signal.removeEventListener("abort", onAbort);
    runner.attach(undefined);
  }
}

function outcomeOfExit({ code, signal, stderr }: RunnerExit): ServedOutcome {
  if (outOfMemoryText.test(stderr)) return { state: "out_of_memory" };
  const lines = stderr.split("\n").map((line) => line.trim());
  const said = lines.find((line) => /fatal|error/i.test(line)) ?? "";
  return {
    state: "crashed",
    detail: `the runner process ended (${signal ?? `exit code ${code}`}) ${said.slice(0, 300)}`.trim(),
  };
}
