import type { EffectServices } from "../../server/effects/services.ts";
import type { Manifest } from "../../server/jobs/manifest.ts";
import { silentLog } from "../../server/log.ts";
import type { Approvals, Runnable } from "../../server/review/approvals.ts";
import { type ExecuteDeps, executeRun } from "../../server/runs/execute-run.ts";
import { claim } from "../../server/runs/queue/claim.ts";
import { enqueue } from "../../server/runs/queue/enqueue.ts";
import { type Settlement, settle } from "../../server/runs/queue/settle.ts";
import { countStarts } from "../../server/runs/too-many-runs.ts";
import type { Pool, SandboxRun } from "../../server/sandbox/types.ts";
import type { Store } from "../../server/store/open-store.ts";
import type { Row } from "../../server/store/tables.ts";
import { addJob, servesAll, testManifest, testServices } from "./runs.ts";
import { sandboxRun } from "./sandbox-run.ts";

/** A job whose approval is taken for granted, and a worker that can be told to die. */
export type Resuming = Readonly<{
  store: Store;
  /** Asks for a run with this input. */
  order(input?: unknown): Promise<Row<"runs">>;
  /**
   * Claims the run that is due and works on it. `cut` is asked at each step (a call that comes in, an answer that goes out); where it
   * says so, the worker is dead from there on: nothing is settled, and the run is there to be claimed again.
   */
  work(cut?: (step: number) => boolean, through?: Pool): Promise<{ settlement: Settlement | undefined; steps: number }>;
  /** The bundle as it would be run, for a replay of its own. */
  bundle: SandboxRun;
}>;

const dead = new Error("the worker died here");

export async function resuming(
  store: Store,
  pool: Pool,
  source: string,
  {
    services,
    clock = () => new Date(),
    ...more
  }: Partial<Manifest> & {
    services?: Partial<EffectServices>;
    clock?: () => Date;
  } = {},
): Promise<Resuming> {
  const manifest = testManifest(more);
  const { limits } = testManifest();
  const generous = {
    ...limits,
    timeoutMs: 60_000,
    cpuMs: 60_000,
    memoryMb: 128,
    effects: 5_000,
    responseBytes: 1e6,
    runsPerHour: 1e6,
  };
  const signed = { ...manifest, limits: { ...generous, journalBytes: 1e8, logBytes: 1e6, ...more.limits } };
  await addJob(store.db, "test", more);
  const bundle = await sandboxRun(source);
  const runnable: Runnable = { ...bundle, version: 1, manifest: signed };
  const approvals: Pick<Approvals, "requireRunnable" | "recheck"> = {
    requireRunnable: async () => runnable,
    recheck: async () => {},
  };
  const deps: Omit<ExecuteDeps, "pool"> = {
    store,
    approvals: { ...never(), ...approvals },
    secrets: () => ({ get: () => undefined, names: () => [] }),
    services: testServices(services),
    log: silentLog,
    clock,
    worker: "w",
    serving: servesAll,
    tooManyRuns: countStarts(store.db),
  };
  return {
    store,
    bundle,
    async order(input) {
      const json = input === undefined ? null : JSON.stringify(input);
      const { run } = await enqueue(store.db, {
        job: "test",
        trigger: "person",
        input: json,
        concurrency: null,
        requestedBy: "person",
        traceId: "t",
      });
      return run;
    },
    async work(cut = () => false, through = pool) {
      const [run] = (await claim(store.db, { worker: "w", limit: 1 })).runs;
      if (run === undefined) throw new Error("no run is due");
      const steps = { count: 0 };
      const { id: runId, attempt, lease } = run;
      try {
        const outcome = await executeRun(
          { ...deps, pool: mortal(through, cut, steps) },
          run,
          new AbortController().signal,
        );
        await settle(store.db, { runId, attempt, lease, outcome, retry: null });
        return { settlement: outcome, steps: steps.count };
      } catch (thrown) {
        if (thrown !== dead) throw thrown;
        const error = { reason: "crashed", class: "transient", message: "cut" } as const;
        // As a reaper does, but without the time that it waits from the second loss on.
        await settle(store.db, { runId, attempt, lease, outcome: { state: "put_back", error }, retry: null });
        return { settlement: undefined, steps: steps.count };
      }
    },
  };
}

/** A pool whose runs end with the worker's death where `cut` says so: before a call is served, or before an answer is handed on. */
function mortal(pool: Pool, cut: (step: number) => boolean, steps: { count: number }): Pool {
  return {
    ...pool,
    async run(run) {
      const death = Promise.withResolvers<never>();
      death.promise.catch(() => {});
      let gone = false;
      const step = () => {
        steps.count += 1;
        if (gone || !cut(steps.count)) return;
        gone = true;
        death.reject(dead);
      };
      const outcome = await pool.run({
        ...run,
        async onEffect(call, deliver) {
          step();
          if (gone) return death.promise;
          const served = run.onEffect(call, (reply) => {
            step();
            if (!gone) deliver(reply);
          });
          return Promise.race([served, death.promise]);
        },
      });
      // The job's end may have come in with the very call at which the worker died.
      if (gone) throw dead;
      return outcome;
    },
  };
}

function never(): Approvals {
  const unused = () => {
    throw new Error("not asked for in this test");
  };
  return {
    active: unused,
    requireRunnable: unused,
    requireManifest: unused,
    recheck: unused,
    status: unused,
    standing: unused,
    decisions: unused,
    live: unused,
    liveSubjects: unused,
    requireSigned: unused,
    activeOf: unused,
    onDecision: unused,
    onChange: unused,
  };
}
