import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { defineEffect } from "./define-effect.ts";

/** `setTimeout` of the job. Ends early, with an AbortError, when the attempt does. */
export const timer = defineEffect({
  op: "timer",
  kind: "outside",
  args: z.strictObject({ ms: z.int().min(0).max(2_147_483_647) }),
  safe: () => true,
  rehearse(rehearsal, { ms }) {
    rehearsal.advance(ms);
    return null;
  },
  async perform({ signal }, { ms }) {
    await setTimeout(ms, undefined, { signal });
    return null;
  },
});
