import { UserError } from "../errors.ts";
import type { Actor, Door } from "./actor.ts";
import type { HeldTask } from "./require-task.ts";
import { formatTaskId } from "./task-id.ts";

export type Claimant = Readonly<{ by: Actor; door?: Door | undefined; claim?: number | undefined }>;

/** Throws task_not_yours where the task is for a person, or its plan's executor alone works on it. */
export function refuseDoor({ id, plan_id, open_to }: HeldTask, door: Door = "agent"): void {
  const name = formatTaskId(id);
  if (open_to === "person" && door === "agent") {
    throw new UserError("task_not_yours", `${name} is for the person: only they can end it.`, {
      next: `the person: jr task done ${name}`,
    });
  }
  if (plan_id !== null && open_to === null && door !== "plan") {
    throw new UserError("task_not_yours", `${name} belongs to plan P${plan_id}, which works on it by itself.`, {
      next: `plan_control {"plan": "P${plan_id}"}`,
    });
  }
}

/**
 * Throws `claim_lost` where the claim is not the latest, and `task_claimed` where somebody else's lease runs; a person and a plan's
 * executor are stopped by the first alone.
 */
export function refuseOthers(task: HeldTask, { by, door = "agent", claim }: Claimant): void {
  const name = formatTaskId(task.id);
  if (claim !== undefined && claim !== task.claim) {
    throw new UserError("claim_lost", `Claim ${claim} of ${name} is not the latest: it has claim ${task.claim}.`, {
      next: `task_read {"task": "${name}"}`,
    });
  }
  if (claim === undefined && door === "agent" && task.held && task.claimed_by !== by.actor) throw heldByOther(task);
}

/** What is said where a task is held. */
export function heldByOther({ id, claimed_by, claimed_until, claim }: HeldTask): UserError {
  const name = formatTaskId(id);
  const until = claimed_until?.toISOString() ?? "it is released";
  const holder = (claimed_by ?? "somebody").replace(/[^\x20-\x7e]+|["`]/g, " ").slice(0, 80);
  return new UserError("task_claimed", `${name} is held by ${holder} (claim ${claim}) until ${until}.`, {
    next: 'task_list {"ready": true} shows what is free',
  });
}
