/** How long nothing may happen before the runner is asked whether it is quiet. */
const afterMs = 20;

export type QuietProbe = Disposable &
  Readonly<{
    /** A call came in, or a reply went out. */
    active(): void;
    /** The runner answered a ping: it had entered the isolate for all that was sent before, and all its calls are here. */
    answered(n: number): void;
  }>;

/** Finds out that the guest waits: a ping that is answered with nothing in between came back from a quiet isolate. */
export function createQuietProbe(options: { ping(n: number): void; onQuiet(): void }): QuietProbe {
  let timer: NodeJS.Timeout | undefined;
  let current = 0;
  return {
    active() {
      // An answer to an earlier ping tells of a time before this.
      current += 1;
      clearTimeout(timer);
      const n = current;
      timer = setTimeout(() => options.ping(n), afterMs);
    },
    answered(n) {
      if (n === current) options.onQuiet();
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}
