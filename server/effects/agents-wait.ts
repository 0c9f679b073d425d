import { z } from "zod";
import { defineEffect } from "./define-effect.ts";

/** The end of an agent wakes the run that waits for it. Should that be missed, it looks by itself this often. */
const lookAgainMs = 60_000;

/** `agents.wait`: how an agent ended that this run has started. */
export const agentsWait = defineEffect({
  op: "agent.wait",
  kind: "waiting",
  args: z.strictObject({ agent: z.string().min(2).max(20) }),
  safe: () => true,
  wakeAt: (_startedAt, _args, now) => new Date(now.getTime() + lookAgainMs),
  perform: ({ services, runId, signal }, { agent }) => services.awaitAgent({ handle: agent, parent: runId }, signal),
});
