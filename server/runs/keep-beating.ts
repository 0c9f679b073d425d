import { heartbeatMs, lostAfterMs } from "./queue/heartbeat.ts";
import { createWake } from "./wake.ts";

type Beats = Readonly<{
  /** Renews what this process holds. */
  beat(): Promise<void>;
  /** Takes back what others have left behind. */
  reap(): Promise<void>;
  onFailure(thrown: unknown): void;
  signal: AbortSignal;
}>;

/**
 * Beats until the signal aborts. After a pause (database away, machine asleep) others get the time to renew their leases before any is
 * taken back.
 */
export async function keepBeating({ beat, reap, onFailure, signal }: Beats): Promise<void> {
  const wake = createWake();
  signal.addEventListener("abort", wake.ring);
  let steadySince = performance.now();
  let lastBeat = performance.now();
  while (!signal.aborted) {
    try {
      await beat();
      const now = performance.now();
      if (now - lastBeat > 2 * heartbeatMs) steadySince = now;
      lastBeat = now;
      if (now - steadySince > lostAfterMs) await reap();
    } catch (thrown) {
      onFailure(thrown);
    }
    if (!signal.aborted) await wake.wait(heartbeatMs);
  }
}
