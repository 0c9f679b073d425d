import { z } from "zod";
import { defineEffect } from "./define-effect.ts";

/** The end of a run wakes the one that waits for it. Should that be missed, it looks by itself this often. */
const lookAgainMs = 60_000;

/** `jobs.wait`: how a run ended that this one has started. */
export const runWait = defineEffect({
  op: "run.wait",
  kind: "waiting",
  args: z.strictObject({ run: z.string().min(2).max(20) }),
  safe: () => true,
  wakeAt: (_startedAt, _args, now) => new Date(now.getTime() + lookAgainMs),
  perform: ({ services, runId, signal }, { run }) => services.awaitRun({ handle: run, parent: runId }, signal),
});
