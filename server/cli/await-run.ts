import { z } from "zod";
import type { DaemonClient } from "./client.ts";
import type { CliContext } from "./context.ts";
import { type RunAnswer, runAnswer } from "./run-answer.ts";

/** The run once it has ended. Throws `aborted` on Ctrl-C, which leaves the run alone. */
export async function awaitRun({ signal }: CliContext, client: DaemonClient, id: number): Promise<RunAnswer> {
  const answer = z.object({ run: runAnswer, ended: z.boolean() });
  for (;;) {
    signal.throwIfAborted();
    const { run, ended } = await client.get(`/api/runs/${id}/wait`, answer);
    if (ended) return run;
  }
}
