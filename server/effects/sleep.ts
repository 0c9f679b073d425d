import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { defineEffect } from "./define-effect.ts";

const dayMs = 86_400_000;
/** The clock is looked at again at least this often, since it can be set, and the machine can sleep. */
const longestNapMs = 30_000;

/** `sleep`: until that long after it was issued first, by the wall clock. Long ones leave no process behind. */
export const sleep = defineEffect({
  op: "sleep",
  kind: "waiting",
  args: z.strictObject({
    ms: z
      .int()
      .min(0)
      .max(3_660 * dayMs),
  }),
  safe: () => true,
  wakeAt: (startedAt, { ms }) => new Date(startedAt.getTime() + ms),
  rehearse(rehearsal, { ms }) {
    rehearsal.advance(ms);
    return null;
  },
  async perform({ startedAt, clock, signal }, { ms }) {
    for (;;) {
      const leftMs = startedAt.getTime() + ms - clock().getTime();
      if (leftMs <= 0) return null;
      await setTimeout(Math.min(leftMs, longestNapMs), undefined, { signal });
    }
  },
});
