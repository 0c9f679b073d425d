/** Milliseconds that a run only waits before it gives its runner back; a wait that ends sooner is not worth it. */
export const suspendedAfterMs = 1_000;

export type SuspensionWatch = Readonly<{
  /** An effect that needs no process while it waits; `wakeAt` is asked when the run is about to be suspended. */
  waits(wakeAt: () => Date | null): { end(): void };
  /** An effect that needs this process until it settles. */
  holds<T>(effect: Promise<T>): Promise<T>;
  /** The guest does nothing until something is delivered. */
  quiet(): void;
  /** Something was issued or delivered, or the attempt ended. */
  active(): void;
}>;

/**
 * Tells when a run does nothing but wait, for at least another second after a second of waiting: it then gives its runner back.
 * `suspend` gets the earliest of the times to wake up at; null where only an event will.
 */
export function createSuspension(clock: () => Date, suspend: (wakeAt: Date | null) => void): SuspensionWatch {
  const waiting = new Set<() => Date | null>();
  let held = 0;
  let isQuiet = false;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    // An effect that holds the process ends in a delivery, and thus in another quiet moment.
    if (held > 0 || waiting.size === 0) return;
    const times = [...waiting].flatMap((wakeAt) => wakeAt() ?? []).map((time) => time.getTime());
    const first = Math.min(...times);
    if (times.length === 0) suspend(null);
    else if (first - clock().getTime() > suspendedAfterMs) suspend(new Date(first));
  }

  function arm(): void {
    clearTimeout(timer);
    timer = setTimeout(look, suspendedAfterMs);
  }

  return {
    active() {
      clearTimeout(timer);
      isQuiet = false;
    },
    quiet() {
      isQuiet = true;
      arm();
    },
    waits(wakeAt) {
      waiting.add(wakeAt);
      // Its beginning may have been written only after the guest fell quiet.
      if (isQuiet) arm();
      return { end: () => waiting.delete(wakeAt) };
    },
    holds(effect) {
      held += 1;
      return effect.finally(() => {
        held -= 1;
      });
    },
  };
}
