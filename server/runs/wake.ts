/** A bell that a loop sleeps by: a ring during its work is remembered, so that none is missed. */
export type Wake = Readonly<{
  ring(): void;
  /** Resolves at the next ring, at once if one came since the last wait, or after `ms`. */
  wait(ms: number): Promise<void>;
}>;

/** Makes a bell for one waiter. */
export function createWake(): Wake {
  let rung = false;
  let resume: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      resume?.();
    },
    async wait(ms) {
      if (!rung && ms > 0) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          resume = resolve;
          timer = setTimeout(resolve, ms);
        });
        clearTimeout(timer);
        resume = undefined;
      }
      rung = false;
    },
  };
}
