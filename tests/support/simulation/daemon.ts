import { silentLog } from "../../../server/log.ts";
import { claim } from "../../../server/runs/queue/claim.ts";
import { heartbeat, lostAfterMs } from "../../../server/runs/queue/heartbeat.ts";
import { reap } from "../../../server/runs/queue/reap.ts";
import { type Settlement, settle } from "../../../server/runs/queue/settle.ts";
import { isFinal } from "../../../server/runs/run-states.ts";
import { startScheduler } from "../../../server/runs/scheduler.ts";
import type { Store } from "../../../server/store/open-store.ts";
import type { Row } from "../../../server/store/tables.ts";
import type { Random } from "../random.ts";
import type { TestApprovals } from "./approvals.ts";

type Flight = Readonly<{ run: Row<"runs">; endsAt: number; long: boolean }>;

export type World = Readonly<{
  store: Store;
  approvals: TestApprovals;
  random: Random;
  /** What is written down while it happens, to be judged afterwards. */
  seen: Readonly<{ ticks: number[]; ends: Map<number, string[]>; claims: Map<number, number> }>;
}>;

/** A daemon on a machine of its own: the real scheduler, and a worker that goes through the real queue without a process. */
export type SimulatedDaemon = Readonly<{
  /** Lets its clock go on to this true time. */
  look(trueMs: number): void;
  /** Renews its leases. */
  renew(): Promise<void>;
  /** Ends what is over, fires what is due by its own clock, and takes up what waits. */
  step(): Promise<void>;
  /** The true time at which it has something to do besides slots. */
  nextMs(): number;
  /** Its machine sleeps: nothing reaches it before it wakes. */
  sleep(): void;
  wake(trueMs: number): void;
  /** Puts back what it runs, or leaves it behind. */
  stop(how: "clean" | "killed"): Promise<void>;
}>;

/** Starts one whose clock is `skewMs()` ahead of the true time. */
export function startDaemon(world: World, worker: string, skewMs: () => number, startMs: number): SimulatedDaemon {
  const { store, approvals, random, seen } = world;
  const { db } = store;
  let now = startMs;
  let view = startMs + skewMs();
  let steadyFrom = startMs + lostAfterMs;
  let flights: Flight[] = [];
  let dueMs = Number.POSITIVE_INFINITY;
  let asleep = false;
  const unheard = new Set<() => void>();
  const scheduler = startScheduler({
    store,
    approvals: {
      ...approvals,
      onChange: (tell) =>
        approvals.onChange((job) => {
          if (asleep) unheard.add(() => tell(job));
          else tell(job);
        }),
    },
    log: silentLog,
    clock: () => new Date(view),
    nudge: () => {},
  });

  async function letGo({ run }: Flight, outcome: Settlement): Promise<void> {
    const { id: runId, attempt, lease } = run;
    const retry = { attempts: 2, backoff: "fixed", delayMs: 30_000, maxDelayMs: 30_000 } as const;
    const settled = await settle(db, { runId, attempt, lease, outcome, retry, random: random.next });
    if (settled !== undefined && isFinal(settled.state)) {
      seen.ends.set(runId, [...(seen.ends.get(runId) ?? []), settled.state]);
    }
  }

  async function renew(): Promise<void> {
    if (flights.length === 0) return;
    const leases = flights.map(({ run }) => ({ runId: run.id, lease: run.lease }));
    const { lost, cancelled } = await heartbeat(db, { worker, leases });
    const among = (these: typeof lost) => (flight: Flight) =>
      these.some(({ runId, lease }) => runId === flight.run.id && lease === flight.run.lease);
    const stopped = flights.filter(among(cancelled));
    flights = flights.filter((flight) => !among(lost)(flight) && !among(cancelled)(flight));
    for (const flight of stopped) {
      await letGo(flight, { state: "cancelled", output: null, error: null });
    }
  }

  return {
    look(trueMs) {
      now = trueMs;
      view = trueMs + skewMs();
    },
    renew,
    async step() {
      const over = flights.filter(({ endsAt }) => endsAt <= now);
      flights = flights.filter(({ endsAt }) => endsAt > now);
      for (const flight of over) await letGo(flight, outcomeOf(random, now));
      seen.ticks.push(view);
      await scheduler.tick();
      // They reap every two seconds, whoever it is; now and then will do.
      if (now >= steadyFrom && random.chance(0.2)) await reap(db, { random: random.next });
      const { runs, nextDueMs } = await claim(db, { worker, limit: 50 });
      dueMs = nextDueMs === null ? Number.POSITIVE_INFINITY : now + Math.ceil(nextDueMs);
      for (const run of runs) {
        seen.claims.set(run.id, (seen.claims.get(run.id) ?? 0) + 1);
        const ms = durationMs(random);
        flights.push({ run, endsAt: now + ms, long: ms > 5_000 });
      }
    },
    // Of a run that is soon over nobody need know before something else happens.
    nextMs: () => Math.min(dueMs, ...flights.flatMap(({ endsAt, long }) => (long ? [endsAt] : []))),
    sleep() {
      asleep = true;
    },
    wake(trueMs) {
      asleep = false;
      now = trueMs;
      view = trueMs + skewMs();
      // It gives others the time to renew their leases before it takes any for lost, as the real worker does.
      steadyFrom = trueMs + lostAfterMs;
      for (const hear of unheard) hear();
      unheard.clear();
    },
    async stop(how) {
      await scheduler[Symbol.asyncDispose]();
      if (how === "killed") return;
      const error = { reason: "shutdown", class: "transient", message: "the worker stopped" } as const;
      for (const flight of flights) await letGo(flight, { state: "put_back", error });
    },
  };
}

/** Most are over before anything else happens, a few go on through many slots of their job. */
function durationMs(random: Random): number {
  if (random.chance(0.7)) return random.whole(100, 5_000);
  return Math.round(random.spread(30_000, random.chance(0.1) ? 40 * 3_600_000 : 3_600_000));
}

function outcomeOf(random: Random, nowMs: number): Settlement {
  const dice = random.next();
  const failed = (cls: "transient" | "permanent") =>
    ({ state: "failed", output: null, error: { reason: "threw", class: cls, message: "no" } }) as const;
  if (dice < 0.85) return { state: "succeeded", output: null, error: null };
  if (dice < 0.93) return failed("transient");
  if (dice < 0.97) return failed("permanent");
  return { state: "suspended", wakeAt: new Date(nowMs + 600_000), activeMs: 1_000 };
}
