import { backoffMs } from "../runs/queue/backoff.ts";
import type { NodeError } from "./node-error.ts";

const firstMs = 1_000;
const longestMs = 60_000;

/**
 * Milliseconds to wait before a node that failed `tries` times is tried again; null where it is not: no try is left, or trying
 * again would change nothing.
 */
export function retryDelay(
  { class: failure, reason }: NodeError,
  { tries, attempts }: Readonly<{ tries: number; attempts: number }>,
  random: () => number,
): number | null {
  if (tries >= attempts || (failure !== "transient" && failure !== "timeout")) return null;
  // The planner is told at once what was wrong with its answer.
  if (reason === "plan_invalid") return 0;
  const retry = { attempts, backoff: "exponential", delayMs: firstMs, maxDelayMs: longestMs } as const;
  return backoffMs(retry, tries, random);
}
