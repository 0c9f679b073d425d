/** When an answer reaches the guest: at once, in the place that it had on record, or when the guest's clock gets there. */
export type Due = Readonly<
  { kind: "now" } | { kind: "record"; delivered: number; guestMs: number } | { kind: "time"; ms: number }
>;

type Send = (guestMs: number) => void;

export type Deliveries = Readonly<{
  guestMs(): number;
  /** With `mayEnd`, not before the guest waits: what ends it must not overtake calls that it has made at the same time. */
  add(due: Due, mayEnd: boolean, send: Send): void;
  /** The guest waits: something that was held back is due, or its clock moves on to the next thing that it waits for. */
  quiet(): void;
}>;

/**
 * Puts answers in order without waiting for anything. What is on record comes in the order in which it came then (`order`: the
 * numbers of the deliveries), so that the same code does the same; a timer ends only when there is nothing else to wait for.
 */
export function createDeliveries(startMs: number, order: readonly number[]): Deliveries {
  const ending: Send[] = [];
  const recorded: { delivered: number; guestMs: number; mayEnd: boolean; send: Send }[] = [];
  const timers: { ms: number; send: Send }[] = [];
  const sorted = [...order].sort((a, b) => a - b);
  let next = 0;
  let now = startMs;

  function hand(send: Send, guestMs: number): void {
    now = Math.max(now, guestMs);
    send(now);
  }

  function handRecorded(): boolean {
    const first = recorded.shift();
    if (first === undefined) return false;
    while ((sorted[next] ?? Number.POSITIVE_INFINITY) <= first.delivered) next += 1;
    hand(first.send, first.guestMs);
    return true;
  }

  /** Everything whose turn it is: nothing that came before it then is missing. */
  function pump(): void {
    for (;;) {
      const first = recorded[0];
      if (first === undefined || first.mayEnd || first.delivered > (sorted[next] ?? Number.POSITIVE_INFINITY)) return;
      handRecorded();
    }
  }

  return {
    guestMs: () => now,
    add(due, mayEnd, send) {
      switch (due.kind) {
        case "now":
          if (!mayEnd) return hand(send, now);
          ending.push(send);
          return;
        case "record":
          recorded.push({ ...due, mayEnd, send });
          recorded.sort((a, b) => a.delivered - b.delivered);
          return pump();
        case "time":
          timers.push({ ms: due.ms, send });
          // Stable, so that timers of the same time end in the order of issue.
          timers.sort((a, b) => a.ms - b.ms);
          return;
        default:
          return due satisfies never;
      }
    },
    quiet() {
      const error = ending.shift();
      if (error !== undefined) return hand(error, now);
      if (handRecorded()) return pump();
      const timer = timers.shift();
      if (timer !== undefined) hand(timer.send, timer.ms);
    },
  };
}
