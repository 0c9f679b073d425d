import { agentsChannel } from "../agents/agent-notices.ts";
import { messageOf } from "../errors.ts";
import { runsChannel } from "../runs/run-notices.ts";
import { createWake } from "../runs/wake.ts";
import { tasksChannel } from "../tasks/task-notices.ts";
import { claimPlans, releasePlans } from "./claim-plans.ts";
import { type DriveDeps, drivePlan } from "./drive-plan.ts";
import { parsePlanNotice, plansChannel } from "./plan-notices.ts";

/** Channels whose news may let a plan go on that we drive. */
const channels = [agentsChannel, runsChannel, tasksChannel];

/** A notification can be lost, so live plans are looked at this often in any case. It keeps our hold on them, too. */
const pollMs = 1_000;

export type Plans = AsyncDisposable &
  Readonly<{
    /** Looks at live plans at once. */
    nudge(): void;
  }>;

/** Drives every plan that no other daemon drives, until it is disposed: what is at work then goes on, and is found again at the next start. */
export async function startPlans(options: DriveDeps & Readonly<{ owner: string }>): Promise<Plans> {
  const { store, log, owner } = options;
  const wake = createWake();
  const memory = { broken: new Map<string, number>() };
  let held: Awaited<ReturnType<typeof claimPlans>> = [];
  let claimedAt = Number.NEGATIVE_INFINITY;
  let stopped = false;
  // PGlite is ours alone: whoever held a plan in it is dead.
  let alone = store.kind === "pglite";
  let failing = false;

  /** Gives back how long to wait before the next look. */
  async function look(): Promise<number> {
    if (performance.now() - claimedAt >= pollMs) {
      held = await claimPlans(store.db, { owner, alone });
      claimedAt = performance.now();
      alone = false;
    }
    let next = pollMs;
    for (const each of held) {
      if (stopped) return 0;
      try {
        const at = await drivePlan(options, each, memory);
        if (at !== null) next = Math.min(next, Math.max(0, at.getTime() - Date.now()));
      } catch (thrown) {
        // One plan's trouble keeps no other one waiting.
        log.error({ err: thrown, plan: each.id }, `a plan was not driven: ${messageOf(thrown)}`);
      }
    }
    return next;
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      let waitMs = pollMs;
      try {
        waitMs = await look();
        if (failing) log.info("plans go on");
        failing = false;
      } catch (thrown) {
        if (!failing) log.error({ err: thrown }, `plans wait: ${messageOf(thrown)}`);
        failing = true;
      }
      if (!stopped) await wake.wait(waitMs);
    }
  }

  const unlisten = await Promise.all([
    store.listen(plansChannel, (payload) => {
      const notice = parsePlanNotice(payload);
      if (notice === undefined || notice.byDriver) return;
      if (!held.some(({ id }) => id === notice.planId)) claimedAt = Number.NEGATIVE_INFINITY;
      wake.ring();
    }),
    ...channels.map((channel) =>
      store.listen(channel, () => {
        if (held.length > 0) wake.ring();
      }),
    ),
  ]);
  const looping = loop();
  return {
    nudge: wake.ring,
    async [Symbol.asyncDispose]() {
      stopped = true;
      wake.ring();
      await looping;
      await Promise.all(unlisten.map((stop) => stop()));
      await releasePlans(store.db, owner).catch((thrown: unknown) =>
        log.debug({ err: thrown }, "plans are not let go"),
      );
    },
  };
}
