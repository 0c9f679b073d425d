import type { Log } from "../log.ts";
import { type GuestBundle, guestBundles } from "./guest-bundle.ts";
import { namesZod } from "./guest-scripts.ts";
import { mapError } from "./map-error.ts";
import { canCutNetwork } from "./runner-command.ts";
import { type Runner, startRunner } from "./runner-process.ts";
import { runnerScript } from "./runner-script.ts";
import { type ServedOutcome, serveRun } from "./serve-run.ts";
import type { Declaration, DeclarationRequest, Pool, SandboxOutcome, SandboxRun } from "./types.ts";

/** What warm runners are made ready for, until the first run shows what is asked for. */
const usual = { locale: "en-US", timezone: "UTC", memoryMb: 128, zod: false };
const declarationLimits = {
  // A busy machine may give a runner hardly any processor; what a declaration may compute is bound besides.
  timeoutMs: 20_000,
  cpuMs: 5_000,
  memoryMb: 128,
  logBytes: 100_000,
  effects: 1,
  inFlight: 1,
};
/**
 * RLIMIT_DATA of a runner besides the job's heap: about 100 MB are its own, and each isolate maps 512 MB that it hardly
 * touches, of which two can exist for a moment. Warm runners leave room for the heap of most jobs.
 */
const baseDataMb = 1536;
const warmHeapMb = 512;
/** A runner that belongs to a bundle holds about 90 MB, which is given back when nobody has wanted it for so long. */
const boundIdleMs = 60_000;

type Wanted = Readonly<{ guest: GuestBundle; bundleHash: string; locale: string; memoryMb: number }>;

/**
 * Starts `warm` runner processes and serves at most `max` runs at a time, first come first served. A process that has
 * served a bundle serves that bundle alone from then on.
 */
export async function createPool(options: { max: number; warm: number; log: Log; cacheDir: string }): Promise<Pool> {
  const { max, warm, log } = options;
  const guests = await guestBundles(options.cacheDir);
  const [newest] = guests;
  const [script, netless] = await Promise.all([runnerScript(options.cacheDir), canCutNetwork()]);
  const idle: Runner[] = [];
  const all = new Set<Runner>();
  const queue: (() => void)[] = [];
  const retiring = new Map<Runner, NodeJS.Timeout>();
  let hint = usual;
  let busy = 0;
  let closed = false;

  function spawnRunner(guest: GuestBundle, locale: string, timezone: string, memoryMb: number): Runner {
    const dataMb = baseDataMb + Math.max(warmHeapMb, memoryMb);
    const runner = startRunner({ script, guest, locale, timezone, dataMb, netless });
    all.add(runner);
    return runner;
  }

  async function drop(runner: Runner): Promise<void> {
    all.delete(runner);
    keep(runner);
    const at = idle.indexOf(runner);
    if (at >= 0) idle.splice(at, 1);
    await runner.kill();
  }

  function keep(runner: Runner): void {
    clearTimeout(retiring.get(runner));
    retiring.delete(runner);
  }

  /** Keeps `warm` runners ready that belong to no bundle yet. */
  function refill(): void {
    for (const runner of idle.filter((one) => !one.isAlive())) void drop(runner);
    const fresh = idle.filter(
      ({ bundleHash, guestRuntime, locale }) =>
        bundleHash() === null && guestRuntime === newest.version && locale === hint.locale,
    ).length;
    for (let missing = closed ? 0 : warm - fresh; missing > 0; missing--) {
      const runner = spawnRunner(newest, hint.locale, hint.timezone, usual.memoryMb);
      idle.push(runner);
      runner.send({ type: "prepare", timezone: hint.timezone, memoryMb: hint.memoryMb, zod: hint.zod });
      runner.ready.catch((error: unknown) => {
        log.error({ err: error }, "a warm runner did not start");
        void drop(runner);
      });
    }
    const limit = warm + max;
    while (idle.length > limit) {
      const oldest = idle[0];
      if (oldest === undefined) break;
      void drop(oldest);
    }
  }

  function take(wanted: Wanted): Runner {
    const fits = (runner: Runner) =>
      runner.isAlive() &&
      runner.guestRuntime === wanted.guest.version &&
      runner.locale === wanted.locale &&
      runner.dataMb >= baseDataMb + wanted.memoryMb;
    const own = idle.find((runner) => runner.bundleHash() === wanted.bundleHash && fits(runner));
    const found = own ?? idle.find((runner) => runner.bundleHash() === null && fits(runner));
    if (found === undefined) return spawnRunner(wanted.guest, wanted.locale, hint.timezone, wanted.memoryMb);
    idle.splice(idle.indexOf(found), 1);
    keep(found);
    return found;
  }

  function giveBack(runner: Runner, next: { timezone: string; memoryMb: number; zod: boolean }): void {
    if (closed || !runner.isAlive()) return void drop(runner);
    idle.push(runner);
    retiring.set(runner, setTimeout(() => void drop(runner), boundIdleMs).unref());
    runner.send({ type: "prepare", ...next });
  }

  async function slot(signal: AbortSignal): Promise<boolean> {
    if (busy < max) {
      busy++;
      return true;
    }
    const turn = Promise.withResolvers<boolean>();
    const go = () => turn.resolve(true);
    const stop = () => {
      const at = queue.indexOf(go);
      if (at < 0) return; // Its turn has come already.
      queue.splice(at, 1);
      turn.resolve(false);
    };
    queue.push(go);
    signal.addEventListener("abort", stop, { once: true });
    const mine = await turn.promise;
    signal.removeEventListener("abort", stop);
    return mine;
  }

  /** The place passes straight to the next in line. */
  function release(): void {
    const next = queue.shift();
    if (next === undefined) busy--;
    else next();
  }

  async function serve(run: SandboxRun, declare: boolean): Promise<ServedOutcome> {
    const guest = run.guestRuntime === null ? newest : guests.find(({ version }) => version === run.guestRuntime);
    if (guest === undefined) throw new Error(`there is no guest runtime ${run.guestRuntime}`);
    if (run.signal.aborted || closed || !(await slot(run.signal))) return { state: "cancelled" };
    const { bundleHash, locale, timezone, limits } = run;
    const zod = namesZod(run.bundle);
    hint = { locale, timezone, memoryMb: limits.memoryMb, zod };
    const runner = take({ guest, bundleHash, locale, memoryMb: limits.memoryMb });
    runner.bind(bundleHash);
    setTimeout(refill, 50).unref();
    try {
      await runner.ready;
      const { v8, icu = "" } = process.versions;
      const { seed, startMs, inputJson, info } = run;
      const { logBytes, effects, inFlight } = limits;
      const config = { seed, startMs, inputJson, info, declare, logBytes, effects, inFlight };
      return await serveRun(runner, {
        bundle: run.bundle,
        configJson: JSON.stringify(config),
        timezone,
        zod,
        limits,
        onStart: () => run.onStart({ pid: runner.pid, guestRuntime: guest.version, v8, icu }),
        recorded: run.recorded ?? [],
        onEffect: run.onEffect,
        onQuiet: run.onQuiet,
        onLog: run.onLog,
        signal: run.signal,
      });
    } finally {
      giveBack(runner, { timezone, memoryMb: limits.memoryMb, zod });
      release();
    }
  }

  refill();
  return {
    guestRuntime: newest.version,
    runtimes: () => guests.map(({ version }) => version),
    run: async (run) => finishOutcome(await serve(run, false), run),
    declaration: (request) => declaration(request, serve),
    stats: () => ({ idle: idle.length, busy }),
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all([...all].map(drop));
    },
  };
}

function finishOutcome(outcome: ServedOutcome, run: SandboxRun): SandboxOutcome {
  switch (outcome.state) {
    case "failed":
      return { state: "failed", error: mapError(outcome.error, run.sourceMap) };
    case "limit_exceeded":
      return { ...outcome, error: mapError(outcome.error, run.sourceMap) };
    case "out_of_memory":
      return { state: "out_of_memory", limitMb: run.limits.memoryMb };
    default:
      return outcome;
  }
}

async function declaration(
  request: DeclarationRequest,
  serve: (run: SandboxRun, declare: boolean) => Promise<ServedOutcome>,
): Promise<Declaration> {
  const run: SandboxRun = {
    ...request,
    inputJson: null,
    info: { job: "", version: 0, run: "", attempt: 0, trigger: "", slot: null, event: null },
    seed: "0".repeat(32),
    startMs: 0,
    limits: declarationLimits,
    guestRuntime: null,
    onStart: async () => {},
    onEffect: async () => {
      throw new Error("no effect is served while a bundle is read");
    },
    onLog: () => {},
    signal: new AbortController().signal,
  };
  const outcome = finishOutcome(await serve(run, true), run);
  if (outcome.state === "succeeded") return { ok: true, json: outcome.outputJson ?? "null" };
  if (outcome.state === "failed" || outcome.state === "limit_exceeded") return { ok: false, error: outcome.error };
  return { ok: false, error: plainError(outcome) };
}

/** What else can happen while a file is loaded, in words. */
function plainError(outcome: SandboxOutcome) {
  const { timeoutMs, cpuMs } = declarationLimits;
  const isCpu = "limit" in outcome && outcome.limit === "cpu";
  const words: Partial<Record<SandboxOutcome["state"], string>> = {
    timed_out: `loading the job ${isCpu ? `computed for more than ${cpuMs / 1000}` : `took longer than ${timeoutMs / 1000}`} seconds`,
    out_of_memory: `loading the job took more than ${declarationLimits.memoryMb} MB of memory`,
    cancelled: "loading the job was stopped",
  };
  const message =
    words[outcome.state] ??
    `loading the job ended its process: ${"detail" in outcome ? outcome.detail : outcome.state}`;
  return { name: "LoadError", message, stack: `LoadError: ${message}`, file: null, line: null, column: null };
}
