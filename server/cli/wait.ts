import { setTimeout as delay } from "node:timers/promises";

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** Asks again every `everyMs` until the answer is true; false where `withinMs` pass or the signal aborts first. */
export async function until(
  question: () => boolean | Promise<boolean>,
  { everyMs, withinMs, signal }: { everyMs: number; withinMs: number; signal: AbortSignal },
): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    if (await question()) return true;
    if (signal.aborted || performance.now() > deadline) return false;
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}
