export type Slots = Readonly<{ run<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> }>;

/** At most `count` actions at a time; further ones wait their turn, in order, or until their signal ends the waiting. */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];

  function take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) {
      free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(turn), 1);
        reject(signal.reason);
      };
      waiting.push(turn);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  function release(): void {
    const next = waiting.shift();
    // The slot goes over to the next one, so that nobody who comes just now overtakes it.
    if (next === undefined) free++;
    else next();
  }

  return {
    async run(signal, action) {
      await take(signal);
      try {
        return await action();
      } finally {
        release();
      }
    },
  };
}
