import type { Row } from "../store/tables.ts";
import { outputsOf } from "./outputs-of.ts";
import { isPlanAtRest } from "./plan-states.ts";
import { actorOf } from "./plan-tasks.ts";
import { readPlanNodes, requirePlan } from "./read-plan.ts";
import { type PassDeps, recordPass } from "./record-pass.ts";
import type { EndedTry } from "./settle-nodes.ts";
import { lookAtTry, startTry, type TryDeps } from "./start-try.ts";
import { takeIn } from "./take-in.ts";

export type DriveDeps = TryDeps &
  PassDeps &
  Readonly<{
    /** Called once a plan has come to rest, after that is on record. */
    onRest(plan: Row<"plans">): Promise<void>;
  }>;

/** What driving remembers between looks, which need not outlive the process. */
export type DriveMemory = Readonly<{ broken: Map<string, number> }>;

/**
 * One look at a plan that this daemon holds: takes in what has ended, then starts what can start. Everything is on record before it is
 * begun, and is begun under a dedupe key, so that a crash at any moment neither loses nor repeats a node. Gives back when to look
 * again; null where only news matter.
 */
export async function drivePlan(
  deps: DriveDeps,
  held: Readonly<{ id: number; lease: number }>,
  { broken }: DriveMemory,
): Promise<Date | null> {
  const { db } = deps.store;
  const plan = await requirePlan(db, held.id);
  if (plan.lease !== held.lease || isPlanAtRest(plan.state)) return null;
  const nodes = await readPlanNodes(db, plan.id);
  const running = nodes.filter(({ state }) => state === "running");
  const looks = running.map(async (node): Promise<EndedTry[]> => {
    if (plan.state === "cancelling") await deps.runners[node.kind].cancel(node, actorOf(plan).actor);
    const outcome = await lookAtTry(deps, { plan, node, outputs: outputsOf(nodes), broken });
    return outcome.state === "running" ? [] : [await takeIn(deps, node, outcome)];
  });
  const ended = (await allOf(looks)).flat();
  const pass = await db.transaction().execute((trx) => recordPass(trx, deps, held, ended));
  if (pass === undefined) return null;
  const outputs = outputsOf(pass.nodes);
  const started = await allOf(pass.begun.map((node) => startTry(deps, { plan: pass.plan, node, outputs, broken })));
  if (isPlanAtRest(pass.plan.state)) await deps.onRest(pass.plan);
  // What that failure means is found at the next look.
  return started.includes(false) ? new Date() : pass.nextTryAt;
}

/** All of them, or the first failure once every one has settled, so that none goes on behind the next look's back. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
