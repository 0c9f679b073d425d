import { createHash } from "node:crypto";
import type { FrozenSchedule } from "../jobs/manifest.ts";

const range = 2 ** 48;

/** When the run of a slot starts: up to the schedule's jitter after it, by an amount that job, schedule and slot fix. */
export function startOfSlot(
  job: string,
  { key, jitterMs }: Pick<FrozenSchedule, "key" | "jitterMs">,
  slot: Date,
): Date {
  if (jitterMs === 0) return slot;
  const digest = createHash("sha256").update(`${job}\n${key}\n${slot.toISOString()}`).digest();
  return new Date(slot.getTime() + Math.floor((digest.readUIntBE(0, 6) / range) * (jitterMs + 1)));
}
