/* One file, since each command of the model is read beside the others. */
import fc from "fast-check";
import { expect } from "vitest";
import { UserError } from "../../../server/errors.ts";
import { pauseJob, resumeJob, retireJob } from "../../../server/jobs/control.ts";
import { answerQuestion } from "../../../server/runs/answer-question.ts";
import { beginAttempt } from "../../../server/runs/begin-attempt.ts";
import { cancelRun } from "../../../server/runs/cancel-run.ts";
import { claim } from "../../../server/runs/queue/claim.ts";
import { enqueue, type NewRun } from "../../../server/runs/queue/enqueue.ts";
import { heartbeat } from "../../../server/runs/queue/heartbeat.ts";
import { findPlace, place } from "../../../server/runs/queue/place.ts";
import { reap } from "../../../server/runs/queue/reap.ts";
import { settle } from "../../../server/runs/queue/settle.ts";
import type { Model, ModelRun } from "./model.ts";
import * as spec from "./model.ts";
import { ask, askUncertain, compare, everything, type Real, takeUpAnswer } from "./real.ts";
import { settlement } from "./settlement.ts";

type Command = fc.AsyncCommand<Model, Real>;

export const jobNames = ["a", "b", "c"] as const;
const workers = ["w1", "w2", "w3"] as const;

/** A command that can always be given; both sides are compared after it. */
function command(text: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: () => true,
    async run(model, real) {
      await run(model, real);
      await compare(model, real);
    },
    toString: () => text,
  };
}

function oneIn(many: number): fc.Arbitrary<boolean> {
  return fc.nat(many - 1).map((dice) => dice === 0);
}

function pickFrom<T>(list: readonly T[], at: number): T | undefined {
  return list[at % Math.max(1, list.length)];
}

function isDue({ now }: Model, { state, runAt }: ModelRun): boolean {
  return (state === "queued" || state === "suspended") && runAt <= now;
}

const enqueues = fc
  .record({
    job: fc.constantFrom(...jobNames),
    key: fc.option(fc.constantFrom("k1", "k2", "k3"), { freq: 1 }),
    delayMs: fc.constantFrom(0, 0, 0, 1_000, 20_000),
    priority: fc.constantFrom(0, 0, 1, 5),
    concurrency: fc.constantFrom(1, 2, null),
    startByMs: fc.option(fc.constantFrom(0, 5_000, 60_000), { freq: 1 }),
    parentAt: fc.option(fc.nat(2), { freq: 3 }),
  })
  .map(({ job, key, delayMs, priority, concurrency, startByMs, parentAt }) =>
    command(
      `enqueue(${JSON.stringify({ job, key, delayMs, priority, concurrency, startByMs })})`,
      async (model, real) => {
        const known = [...model.runs.values()].find((run) => key !== null && run.job === job && run.key === key);
        const parents = [...model.runs.values()].filter(({ state }) => state === "suspended" || state === "running");
        parents.sort((a, b) => Number(a.state === "running") - Number(b.state === "running"));
        const parent = parentAt === null ? null : (pickFrom(parents, parentAt)?.id ?? null);
        const runAt = model.now + delayMs;
        const startBy = startByMs === null ? null : runAt + startByMs;
        const { run, created } = await enqueue(real.store.db, {
          ...{ job, priority, concurrency, trigger: "host", requestedBy: "test 1", traceId: "t" },
          dedupeKey: key ?? undefined,
          runAt: delayMs === 0 ? undefined : new Date(runAt),
          startBy: startBy === null ? undefined : new Date(startBy),
          parentRun: parent ?? undefined,
        });
        expect(created).toBe(known === undefined);
        if (known !== undefined) return expect(run.id).toBe(known.id);
        model.runs.set(run.id, {
          ...{ id: run.id, job, key, priority, concurrency, startBy, parent, state: "queued", runAt },
          ...{ attempt: 0, lease: 0, resumes: false, begun: false, lost: 0, owner: null, heartbeatAt: 0 },
          ...{ cancelRequested: false, endedAt: null, asks: null, answered: false },
        });
      },
    ),
  );

const placings = fc
  .record({
    job: fc.constantFrom(...jobNames),
    key: fc.option(fc.constantFrom("k1", "k2", "k3"), { freq: 1 }),
    concurrency: fc.constantFrom(1, 2, null),
    worker: fc.constantFrom(...workers),
    begins: fc.boolean(),
    late: oneIn(3),
  })
  .map(({ job, key, concurrency, worker, begins, late }) =>
    command(`place(${JSON.stringify({ job, key, concurrency, worker, begins, late })})`, async (model, real) => {
      const { db } = real.store;
      const known = [...model.runs.values()].find((run) => key !== null && run.job === job && run.key === key);
      const request = { job, concurrency, trigger: "host", requestedBy: "test 1", traceId: "t" } as const;
      const order: NewRun = { ...request, dedupeKey: key ?? undefined };
      const isFull = concurrency !== null && spec.liveOf(model, job).length >= concurrency;
      const starts =
        model.jobs.get(job) === "active" && !isFull && ![...model.runs.values()].some((run) => isDue(model, run));
      const found = await findPlace(db, order);
      expect(found === undefined).toBe(!starts || known !== undefined);
      // One that is late finds that something has come first.
      if (found === undefined && !late) return;
      const id = found ?? Math.max(0, ...model.runs.keys()) + 1_000_000;
      const start = begins ? { version: 1, seed: "0".repeat(32), startMs: 0, runner: null } : null;
      const row = await place(db, { id, request: order, worker, start, alone: real.store.kind === "pglite" });
      expect(row === undefined).toBe(known !== undefined);
      if (row === undefined) return;
      expect(row.state).toBe(starts ? "running" : "queued");
      const run: ModelRun = {
        ...{ id, job, key, priority: 0, concurrency, startBy: null, parent: null, state: "queued", runAt: model.now },
        ...{ attempt: 0, lease: 0, resumes: false, begun: false, lost: 0, owner: null, heartbeatAt: 0 },
        ...{ cancelRequested: false, endedAt: null, asks: null, answered: false },
      };
      model.runs.set(id, run);
      if (!starts) return;
      spec.takeLease(model, run, worker);
      run.begun = begins;
    }),
  );

const claims = fc
  .record({ worker: fc.constantFrom(...workers), limit: fc.integer({ min: 1, max: 4 }), begins: fc.boolean() })
  .map(({ worker, limit, begins }) =>
    command(`claim(${worker}, ${limit}${begins ? ", begins" : ""})`, async (model, real) => {
      const { runs, nextDueMs, waits } = await claim(real.store.db, {
        worker,
        limit,
        alone: real.store.kind === "pglite",
      });
      const due = spec.dueRuns(model);
      expect(runs.length).toBeLessThanOrEqual(limit);
      const claimed = runs.map(({ id }) => id);
      expect(due.map(({ id }) => id).filter((id) => claimed.includes(id))).toEqual(claimed);
      for (const run of due) {
        const live = spec.liveOf(model, run.job).length;
        const before = due
          .slice(0, due.indexOf(run))
          .filter(
            ({ job, state, concurrency }) => job === run.job && state === "queued" && (concurrency ?? live + 1) > live,
          );
        const inLine = live + before.length + 1;
        const full = run.state === "queued" && run.concurrency !== null && inLine > run.concurrency;
        // What is in line counts before what is taken, since all of it starts at the same moment; what has no place beside the live runs does not.
        if (claimed.includes(run.id)) expect(full, `R${run.id} exceeds the limit of its job`).toBe(false);
        else expect(full || runs.length === limit, `R${run.id} waits without need`).toBe(true);
      }
      const later = [...model.runs.values()].filter(
        ({ job, state, runAt }) =>
          (state === "queued" || state === "suspended") && model.jobs.get(job) === "active" && runAt > model.now,
      );
      const next = later.length === 0 ? null : Math.min(...later.map(({ runAt }) => runAt)) - model.now;
      expect(nextDueMs).toBe(next);
      const isLeft = (run: ModelRun) => isDue(model, run) && !claimed.includes(run.id);
      expect(waits).toBe([...model.runs.values()].some(isLeft));
      for (const row of runs) {
        const run = model.runs.get(row.id);
        if (run === undefined) throw new Error(`R${row.id} came from nowhere`);
        spec.takeLease(model, run, worker);
        if (!begins) continue;
        const start = { version: 1, seed: "0".repeat(32), startMs: 0, runner: null };
        await beginAttempt(real.store.db, row, worker, start);
        run.begun = true;
      }
    }),
  );

const heartbeats = fc.constantFrom(...workers).map((worker) =>
  command(`heartbeat(${worker})`, async (model, real) => {
    // It renews whatever it was ever given, as a worker would that noticed nothing.
    const leases = model.leases.filter((lease) => lease.worker === worker);
    const { lost, cancelled } = await heartbeat(real.store.db, { worker, leases });
    const held = leases.filter((lease) => spec.holds(model, lease) !== undefined);
    expect(lost).toEqual(leases.filter((lease) => !held.includes(lease)));
    expect(cancelled).toEqual(held.filter((lease) => spec.holds(model, lease)?.cancelRequested));
    expect(new Set(held.map(({ runId }) => runId)).size).toBe(held.length);
    for (const lease of held) {
      const run = spec.holds(model, lease);
      if (run !== undefined) run.heartbeatAt = model.now;
    }
  }),
);

const outcomes = [
  "succeeded",
  "failed",
  "failed",
  "timed_out",
  "out_of_memory",
  "crashed",
  "cancelled",
  "denied",
] as const;
const pauses = [
  "suspended",
  "suspended",
  "needs_decision",
  "put_back",
  "unserved",
  "unserved",
  "lost",
  "lost",
] as const;

const settles = fc
  .record({
    at: fc.nat(1_000),
    stale: oneIn(4),
    state: fc.oneof(fc.constantFrom(...outcomes), fc.constantFrom(...pauses)),
    cls: fc.constantFrom<spec.ErrorClass>(
      "transient",
      "transient",
      "transient",
      "permanent",
      "policy",
      "nondeterminism",
    ),
    wakeMs: fc.constantFrom(null, 1_000, 30_000),
  })
  .map(({ at, stale, state, cls, wakeMs }) =>
    command(`settle(${at}${stale ? ", any lease" : ""}, ${state}, ${cls}, ${wakeMs})`, async (model, real) => {
      const valid = model.leases.filter((lease) => spec.holds(model, lease) !== undefined);
      const lease = pickFrom(stale ? model.leases : valid, at);
      if (lease === undefined) return;
      const run = spec.holds(model, lease);
      if (run !== undefined && state === "needs_decision" && run.begun && run.asks === null && !run.answered) {
        await askUncertain(real, lease, run.job, new Date(model.now));
        run.asks = "uncertain";
      }
      const before = run === undefined ? await everything(real) : "";
      const request = { ...lease, retry: spec.retry, random: () => 0 };
      const settled = await settle(real.store.db, { ...request, outcome: settlement(state, cls, wakeMs, model.now) });
      expect(settled?.id).toBe(run?.id);
      if (run === undefined) return expect(await everything(real)).toBe(before);
      spec.letGo(model, run, { state, cls, wakeMs });
    }),
  );

const reaps = fc.constant(
  command("reap()", async (model, real) => {
    await reap(real.store.db, { random: () => 0 });
    spec.takeBack(model);
  }),
);

const cancels = fc.nat(1_000).map((at) =>
  command(`cancel(${at})`, async (model, real) => {
    const all = [...model.runs.values()];
    const running = all.filter(({ state }) => state === "running");
    const run = pickFrom(at % 2 === 0 && running.length > 0 ? running : all, at);
    if (run === undefined) return;
    const cancelled = await cancelRun(real.store.db, { runId: run.id, by: "person" });
    expect(cancelled === undefined).toBe(spec.isEnd(run.state));
    spec.cancel(model, run);
  }),
);

const asks = fc.record({ at: fc.nat(1_000), suspends: fc.boolean() }).map(({ at, suspends }) =>
  command(`ask(${at}${suspends ? ", suspends" : ""})`, async (model, real) => {
    const silent = (run: ModelRun | undefined) => run?.begun === true && run.asks === null;
    const lease = pickFrom(
      model.leases.filter((each) => silent(spec.holds(model, each))),
      at,
    );
    const run = lease === undefined ? undefined : spec.holds(model, lease);
    if (lease === undefined || run === undefined) return;
    if (run.answered) await takeUpAnswer(real, lease);
    await ask(real, lease, run.job, new Date(model.now));
    run.answered = false;
    run.asks = "ask";
    if (!suspends) return;
    const outcome = settlement("suspended", "transient", null, model.now);
    await settle(real.store.db, { ...lease, outcome, retry: spec.retry });
    spec.letGo(model, run, { state: "suspended", cls: "transient", wakeMs: null });
  }),
);

const answers = fc
  .record({ at: fc.nat(1_000), value: fc.constantFrom("repeat", "skip", "fail") })
  .map(({ at, value }) =>
    command(`answer(${at}, ${value})`, async (model, real) => {
      const asking = (run: ModelRun) => run.asks !== null && !spec.isEnd(run.state);
      const some = [...model.runs.values()];
      const run = pickFrom(some.some(asking) && at % 4 > 0 ? some.filter(asking) : some, at);
      if (run === undefined) return;
      const given = answerQuestion({ store: real.store }, { run: run.id, value, by: "person" });
      if (!asking(run)) return expect(given).rejects.toBeInstanceOf(UserError);
      await given;
      if (run.asks === "uncertain") await takeUpAnswer(real, { runId: run.id, attempt: run.attempt });
      spec.answer(model, run, value);
    }),
  );

const controls = fc
  .record({
    job: fc.constantFrom(...jobNames),
    to: fc.oneof(
      { weight: 3, arbitrary: fc.constant("paused" as const) },
      { weight: 6, arbitrary: fc.constant("active" as const) },
      { weight: 1, arbitrary: fc.constant("retired" as const) },
    ),
  })
  .map(({ job, to }) =>
    command(`${to}(${job})`, async (model, real) => {
      const { db } = real.store;
      if (model.jobs.get(job) === "retired") return;
      const change = { job, by: "agent", actor: "test 1" } as const;
      if (to === "paused") await pauseJob(db, { ...change, reason: null });
      else if (to === "active") await resumeJob(db, change);
      else await retireJob(db, change);
      model.jobs.set(job, to);
    }),
  );

const passes = fc.constantFrom(1, 500, 2_000, 7_000, 20_000, 70_000).map((ms) =>
  command(`${ms} ms pass`, async (model, real) => {
    model.now += ms;
    await real.setTime(model.now);
  }),
);

/** Sequences of commands; what happens most often in life does here. */
export const allCommands = fc.commands(
  [
    enqueues,
    enqueues,
    placings,
    claims,
    claims,
    settles,
    settles,
    settles,
    heartbeats,
    passes,
    passes,
    reaps,
    cancels,
    asks,
    answers,
  ].concat([controls]),
  { maxCommands: 80, size: "max" },
);
