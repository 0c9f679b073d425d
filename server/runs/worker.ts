/* One file, since claims, flights and leases share their state. */
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { asMachineTrouble } from "../machine-trouble.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { Begin } from "./execute-run.ts";
import { keepBeating } from "./keep-beating.ts";
import { claim, type Except } from "./queue/claim.ts";
import { type Enqueued, enqueue, type NewRun } from "./queue/enqueue.ts";
import { heartbeat, type Lease } from "./queue/heartbeat.ts";
import { findPlace } from "./queue/place.ts";
import { reap } from "./queue/reap.ts";
import type { Settlement } from "./queue/settle.ts";
import { parseNotice, runsChannel } from "./run-notices.ts";
import { settleSurely } from "./settle-surely.ts";
import { type AtOnce, isPlain, NotNext, startAtOnce } from "./start-at-once.ts";
import { createWake } from "./wake.ts";

export type WorkerOptions = Readonly<{
  store: Store;
  /**
   * Performs one attempt. Ends soon after the signal aborts. `begin` writes that the attempt begins, of a run that is not in the queue
   * yet: to be called before anything of it happens.
   */
  execute(run: Row<"runs">, signal: AbortSignal, begin?: Begin): Promise<Settlement>;
  log: Log;
  /** Most attempts at a time. */
  max: number;
  /** Unique per process, so that a restarted daemon does not pass for the one that died. */
  worker: string;
  /** Jobs that it leaves to others; null where it claims nothing. */
  except?: () => Omit<Except, "runs"> | null;
}>;

export type Worker = Readonly<{
  /** Looks for due runs at once. */
  nudge(): void;
  /**
   * Puts a run into the queue, as `enqueue` does. One that is next in line, with a place free here, is begun in the same commit, which
   * is what happens to most that somebody asks for.
   */
  enqueue(request: NewRun): Promise<Enqueued>;
  /**
   * Claims no more, waits up to `graceMs` for what runs, then aborts the rest and puts it back into the queue.
   * Resolves within about `graceMs` plus 5 seconds.
   */
  drain(options?: { graceMs?: number }): Promise<void>;
  stats(): { running: number; max: number; connected: boolean; trouble: string | null };
}>;

type Flight = {
  run: Row<"runs">;
  atOnce: AtOnce | undefined;
  controller: AbortController;
  end: "settle" | "put_back" | "drop";
  /** Whether its end can make another run due: its own next try, or the run that waits for it. */
  leadsOn: boolean;
  done: Promise<void>;
};

const pollMs = 1_000;
/** How long a run that was put back as not served is left to others. */
const leftAloneMs = 10_000;
const troubleMs = 60_000;
/** How long an aborted attempt may take to end before it is put back regardless. */
const abortMs = 5_000;

/** Starts to claim and execute runs. */
export function startWorker({
  store,
  execute,
  log,
  max,
  worker,
  except = () => ({ jobs: [], fresh: [] }),
}: WorkerOptions): Worker {
  const flights = new Set<Flight>();
  /** Runs that another worker may serve, with the time until which they are left to it. */
  const leftAlone = new Map<number, number>();
  const wake = createWake();
  const stopped = new AbortController();
  let draining = false;
  /** Places that are kept for runs which may start at once. */
  let kept = 0;
  /** Whether the last claim left something behind, so that the next free place has to be told. */
  let waits = true;
  let connected = true;
  /** What of this machine broke an attempt or a claim. */
  let trouble: { message: string; at: number } | undefined;

  function lostConnection(thrown: unknown): void {
    if (connected) log.error({ err: thrown }, `the database does not answer: ${messageOf(thrown)}`);
    connected = false;
    note(asMachineTrouble(thrown));
  }

  function note(known: Error | undefined): void {
    if (known !== undefined) trouble = { message: known.message, at: performance.now() };
  }

  function hasConnection(): void {
    if (!connected) {
      log.info("the database answers again");
      trouble = undefined;
    }
    connected = true;
  }

  function tellClaimed(run: Row<"runs">): void {
    log.debug({ run: run.id, lease: run.lease, since: run.heartbeat_at }, "run claimed");
  }

  function start(run: Row<"runs">, atOnce?: AtOnce): void {
    const controller = new AbortController();
    const flight: Flight = { run, atOnce, controller, end: "settle", leadsOn: true, done: Promise.resolve() };
    flights.add(flight);
    if (atOnce === undefined) tellClaimed(run);
    flight.done = fly(flight).finally(() => {
      flights.delete(flight);
      if (waits || flight.leadsOn) wake.ring();
    });
  }

  async function enqueueHere(request: NewRun): Promise<Enqueued> {
    const id = await placeFor(request);
    if (id === undefined) return enqueue(store.db, request);
    const atOnce = startAtOnce({ store, worker, id, request, onPlaced: tellClaimed });
    start(atOnce.run, atOnce);
    return atOnce.enqueued;
  }

  async function placeFor(request: NewRun): Promise<number | undefined> {
    const others = except();
    const isOurs = others !== null && ![...others.jobs, ...others.fresh].includes(request.job);
    if (draining || !connected || !isOurs || !isPlain(request) || max - flights.size - kept <= 0) return undefined;
    kept++;
    try {
      const id = await findPlace(store.db, request);
      return draining ? undefined : id;
    } finally {
      kept--;
      if (waits) wake.ring();
    }
  }

  async function fly(flight: Flight): Promise<void> {
    const { run, atOnce, controller } = flight;
    let outcome: Settlement;
    try {
      outcome = await execute(run, controller.signal, atOnce?.begin);
      trouble = undefined;
    } catch (thrown) {
      if (thrown instanceof NotNext) return;
      log.error({ err: thrown, run: run.id, trace: run.trace_id }, "an attempt broke down");
      const known = asMachineTrouble(thrown);
      const error = { reason: "crashed", class: "transient", message: messageOf(known ?? thrown) } as const;
      // A machine in trouble is not the run's fault, however long it lasts: another machine may take it at once.
      outcome = { state: known === undefined ? "lost" : "put_back", error };
      if (known !== undefined) leftAlone.set(run.id, performance.now() + leftAloneMs);
      note(known);
    }
    // Where it could not begin it waits in the queue like any other.
    if (atOnce !== undefined && !(await atOnce.finish().catch(() => false))) return;
    if (flight.end === "drop") return;
    if (outcome.state === "unserved") leftAlone.set(run.id, performance.now() + leftAloneMs);
    // An attempt that finished although we were stopping has a real outcome, which is kept.
    const until = new Date();
    const putBack = flight.end === "put_back" && outcome.state === "cancelled";
    await settleSurely({ store, log }, run, putBack ? interrupted : outcome, stopped.signal);
    flight.leadsOn = outcome.state !== "succeeded" || run.parent_run !== null;
    log.debug({ run: run.id, lease: run.lease, state: outcome.state, until }, "run let go");
  }

  function abort(flight: Flight, end: Flight["end"], why: string): void {
    if (flight.controller.signal.aborted) return;
    flight.end = end;
    flight.controller.abort(new Error(why));
  }

  async function claimLoop(): Promise<void> {
    for (let failures = 0; !draining; ) {
      let waitMs = pollMs;
      try {
        const others = except();
        const limit = others === null ? 0 : max - flights.size - kept;
        // A place that gets free meanwhile is told.
        waits = true;
        const claimed = await claim(store.db, {
          worker,
          limit,
          alone: store.kind === "pglite",
          except: { jobs: [], fresh: [], ...others, runs: left() },
        });
        if (limit > 0) hasConnection();
        failures = 0;
        waits = claimed.waits;
        for (const run of claimed.runs) start(run);
        const { nextDueMs } = claimed;
        if (nextDueMs !== null) waitMs = Math.min(pollMs, Math.max(1, Math.ceil(nextDueMs)));
      } catch (thrown) {
        lostConnection(thrown);
        waitMs = Math.min(100 * 2 ** failures++, 2_000);
      }
      if (!draining) await wake.wait(waitMs);
    }
  }

  function left(): number[] {
    const now = performance.now();
    for (const [run, until] of leftAlone) if (until <= now) leftAlone.delete(run);
    return [...leftAlone.keys()];
  }

  async function beat(): Promise<void> {
    const held = [...flights].filter(isInQueue);
    const leases = held.map(({ run }) => ({ runId: run.id, lease: run.lease }));
    const since = new Date();
    const { lost, cancelled } = await heartbeat(store.db, { worker, leases });
    const renewed = leases.filter((lease) => !lost.includes(lease));
    if (renewed.length > 0) log.debug({ leases: renewed, since }, "leases renewed");
    const flightOf = (lease: Lease) => held.find(({ run }) => run.id === lease.runId && run.lease === lease.lease);
    for (const lease of lost) {
      const flight = flightOf(lease);
      // One that has just settled is not ours any more either, and needs no abort.
      if (flight !== undefined && flights.has(flight)) abort(flight, "drop", "lease lost");
    }
    for (const lease of cancelled) {
      const flight = flightOf(lease);
      if (flight !== undefined) abort(flight, "settle", "cancelled");
    }
  }

  async function reapNow(onlyWorker?: string): Promise<void> {
    const ended = await reap(store.db, { onlyWorker });
    for (const run of ended) {
      log.warn({ run: run.id, job: run.job, state: run.state, trace: run.trace_id }, "a run was left behind");
    }
    if (ended.length > 0) wake.ring();
  }

  async function begin(): Promise<void> {
    // PGlite is ours alone, so that every lease in it is a dead daemon's; elsewhere leases have to run out.
    if (store.kind === "pglite") await reapNow(worker).catch(lostConnection);
    const beats = keepBeating({ beat, reap: reapNow, onFailure: lostConnection, signal: stopped.signal });
    await Promise.all([claimLoop(), beats]);
  }

  const listening = store
    .listen(runsChannel, (payload) => {
      const notice = parseNotice(payload);
      const ours = [...flights].find(({ run }) => notice !== undefined && "runId" in notice && run.id === notice.runId);
      if (notice?.kind === "cancel") {
        if (ours !== undefined) abort(ours, "settle", "cancelled");
        return;
      }
      // The end of a run of ours rings by itself, once its place is free.
      if (ours === undefined) wake.ring();
    })
    .catch((thrown) => {
      log.warn({ err: thrown }, "no notifications; polling once a second");
      return async () => {};
    });
  const loops = begin().catch((thrown) => log.fatal({ err: thrown }, "the worker stopped"));

  async function drain({ graceMs = 10_000 } = {}): Promise<void> {
    draining = true;
    wake.ring();
    await within(graceMs, flights);
    for (const flight of flights) abort(flight, "put_back", "shutdown");
    await within(abortMs, flights);
    for (const flight of [...flights].filter(isInQueue)) {
      flight.end = "drop";
      await settleSurely({ store, log }, flight.run, interrupted, AbortSignal.timeout(2_000));
    }
    stopped.abort();
    await loops;
    const unlisten = await listening;
    await unlisten();
  }

  return {
    nudge: wake.ring,
    enqueue: enqueueHere,
    drain,
    stats() {
      // What lasts is met again long before that.
      const lasts = trouble !== undefined && performance.now() - trouble.at < troubleMs;
      return { running: flights.size, max, connected, trouble: lasts ? (trouble?.message ?? null) : null };
    },
  };
}

function isInQueue({ atOnce }: Flight): boolean {
  return atOnce === undefined || atOnce.isPlaced();
}

const interrupted = {
  state: "put_back",
  error: {
    reason: "shutdown",
    class: "transient",
    message: "the worker stopped; the attempt goes on from its journal",
  },
} as const;

async function within(ms: number, flights: ReadonlySet<Flight>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  // New ones can still come from a claim that was under way.
  while (flights.size > 0) {
    const all = Promise.all([...flights].map((flight) => flight.done)).then(() => "done" as const);
    if ((await Promise.race([all, bound])) === undefined) break;
  }
  clearTimeout(timer);
}
