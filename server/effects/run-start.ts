import { z } from "zod";
import { UserError } from "../errors.ts";
import { defineEffect } from "./define-effect.ts";

/** `jobs.start`: asks for a run of another approved job. Repeated after a crash, it brings back the same run. */
export const runStart = defineEffect({
  op: "run.start",
  kind: "outside",
  args: z.strictObject({ job: z.string().min(1).max(100), input: z.json() }),
  safe: () => true,
  allow({ permissions }, { job }) {
    if (permissions.run.includes(job)) return;
    throw new UserError(
      "permission_denied",
      `jobs.start("${job}"): the signed manifest does not name that job; declare permissions.run: ["${job}"].`,
    );
  },
  async perform({ services, job: parentJob, runId, attempt, seq, traceId }, { job, input }) {
    const dedupeKey = `run:${runId}-${attempt}-${seq}`;
    return { run: await services.startRun({ job, input, parent: runId, parentJob, dedupeKey, traceId }) };
  },
});
