import { guestNow } from "./clock.ts";
import { durationMs } from "./duration.ts";
import { effect } from "./effect.ts";

/** For a while, or until a time. A long one leaves no process behind. */
export async function sleep(until: number | string | Date): Promise<void> {
  const ms = until instanceof Date ? Math.max(0, until.getTime() - guestNow()) : durationMs(until, "sleep");
  if (!Number.isFinite(ms)) throw new TypeError("sleep: that is no valid date");
  await effect("sleep", { ms: Math.round(ms) });
}
