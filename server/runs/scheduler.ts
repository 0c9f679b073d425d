import cron from "node-cron";
import { messageOf, UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Approvals } from "../review/approvals.ts";
import type { Store } from "../store/open-store.ts";
import { findNextSlot, fireDueSlots } from "./fire-slots.ts";
import { findJobsOutOfStep } from "./jobs-out-of-step.ts";
import { removeSchedules, syncSchedules } from "./sync-schedules.ts";
import { syncAfterTriggers } from "./triggers/sync-after.ts";
import type { ActiveApproval } from "./workers/signed-manifests.ts";

export type SchedulerOptions = Readonly<{
  store: Store;
  approvals: Pick<Approvals, "active" | "requireRunnable" | "onChange"> &
    Readonly<{ live(): Promise<readonly ActiveApproval[]> }>;
  log: Log;
  clock: () => Date;
  /** Tells the worker that runs are waiting. */
  nudge: () => void;
}>;

export type Scheduler = Readonly<{
  /** Fires what is due at the clock's time, then sets the timer for the next slot. Calls made during one share the next. */
  tick(): Promise<void>;
  /** Resolves once the schedules are those of the versions that were active at the start. */
  inStep: Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

/** A slot that is nearer than this gets a timer of its own; for later ones the next tick comes in time. */
const timerReachMs = 1_500;

/**
 * Turns slots into runs until it is disposed: node-cron ticks once a second, and a timer meets the next slot exactly.
 * Keeps `schedules` in step with what is approved. Any number of schedulers may work on one database.
 */
export function startScheduler({ store, approvals, log, clock, nudge }: SchedulerOptions): Scheduler {
  const { db } = store;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let pass: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  let failing = false;

  async function firePass(): Promise<void> {
    if (stopped) return;
    try {
      const now = clock();
      const next = await findNextSlot(db);
      if (next !== undefined && next <= now) {
        const made = await fireDueSlots(db, now);
        if (made.length > 0) nudge();
        arm(await findNextSlot(db));
      } else arm(next);
      if (failing) log.info("schedules go on");
      failing = false;
    } catch (thrown) {
      if (!failing) log.error({ err: thrown }, `schedules wait: ${messageOf(thrown)}`);
      failing = true;
    }
  }

  function arm(next: Date | undefined): void {
    clearTimeout(timer);
    if (next === undefined || stopped) return;
    const ms = next.getTime() - clock().getTime();
    if (ms <= timerReachMs) timer = setTimeout(tick, Math.max(0, ms));
  }

  function tick(): Promise<void> {
    waiting ??= pass.then(() => {
      waiting = undefined;
      pass = firePass();
      return pass;
    });
    return waiting;
  }

  async function syncJob(job: string): Promise<void> {
    try {
      const row = await db.selectFrom("jobs").select("state").where("name", "=", job).executeTakeFirst();
      const active = await approvals.active(job);
      if (row === undefined || row.state === "retired" || active === undefined) {
        const reason = row?.state === "retired" ? "the job was retired" : "no version was approved any more";
        await syncAfterTriggers(db, job, null);
        return await removeSchedules(db, job, { reason, now: clock() });
      }
      const { version, manifest } = await approvals.requireRunnable(job);
      await syncAfterTriggers(db, job, { version, manifest });
      await syncSchedules(db, job, version, manifest, clock());
    } catch (thrown) {
      // What does not verify keeps its slots: each becomes a run that is denied, which alerts, instead of silence.
      if (!(thrown instanceof UserError)) throw thrown;
      log.warn({ job, code: thrown.code }, thrown.message);
    }
  }

  async function syncAll(): Promise<void> {
    for (const job of await findJobsOutOfStep(db, await approvals.live())) {
      if (stopped) return;
      await syncJob(job);
    }
  }

  // One at a time and in order, so that an older decision cannot overwrite a newer one.
  let syncing = syncAll().catch((thrown) => log.error({ err: thrown }, "schedules could not be read at start"));
  const stopFollowing = approvals.onChange((job) => {
    syncing = syncing
      .then(() => syncJob(job))
      .then(tick)
      .catch((thrown) => log.error({ err: thrown, job }, "the schedule of a job could not be updated"));
  });

  const ticks = cron.schedule("* * * * * *", () => tick(), {
    name: "jobrunner-slots",
    suppressMissedWarning: true,
    logger: {
      info: (message) => log.debug(message),
      warn: (message) => log.debug(message),
      error: (message) => log.error({ err: message }, "node-cron"),
      debug: () => {},
    },
  });
  const inStep = syncing;
  void syncing.then(tick);

  return {
    tick,
    inStep,
    async [Symbol.asyncDispose]() {
      stopped = true;
      stopFollowing();
      await ticks.destroy();
      clearTimeout(timer);
      await syncing;
      await waiting;
      await pass;
      clearTimeout(timer);
    },
  };
}
