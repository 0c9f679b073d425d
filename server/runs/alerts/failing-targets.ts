/** A target that does not take alerts from this machine. */
export type FailingTarget = Readonly<{ target: string; since: Date; message: string }>;

/** Which targets fail, and when each is tried again. */
export type FailingTargets = Readonly<{
  list(): FailingTarget[];
  mayTry(target: string): boolean;
  /** Tells whether it did not fail before. */
  failed(target: string, message: string): boolean;
  /** Tells whether it had failed before. */
  worked(target: string): boolean;
}>;

const firstPauseMs = 30_000;
const longestPauseMs = 3_600_000;

type Entry = FailingTarget & Readonly<{ tries: number; nextTryMs: number }>;

/** Pauses grow from half a minute to an hour. `problems` are targets that cannot work here: told from the start, and still tried. */
export function createFailingTargets(
  problems: ReadonlyMap<string, string>,
  elapsedMs: () => number = () => performance.now(),
): FailingTargets {
  const entries = new Map<string, Entry>();
  for (const [target, message] of problems) {
    entries.set(target, { target, message, since: new Date(), tries: 0, nextTryMs: 0 });
  }
  return {
    list: () => [...entries.values()].map(({ target, since, message }) => ({ target, since, message })),
    mayTry: (target) => (entries.get(target)?.nextTryMs ?? 0) <= elapsedMs(),
    failed(target, message) {
      const before = entries.get(target);
      const tries = (before?.tries ?? 0) + 1;
      const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(tries - 1, 30), longestPauseMs);
      const since = before?.since ?? new Date();
      entries.set(target, { target, message, since, tries, nextTryMs: elapsedMs() + pauseMs });
      return before === undefined;
    },
    worked: (target) => entries.delete(target),
  };
}
