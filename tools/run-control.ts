import { z } from "zod";
import { requestCancel } from "../server/runs/control.ts";
import { formatRunId, requireRun } from "../server/runs/read.ts";
import { redriveRun } from "../server/runs/redrive-run.ts";
import { defineTool } from "./define-tool.ts";
import { requireGrantedJob } from "./granted-job.ts";
import { hostLabel, type ToolContext } from "./tool-context.ts";

export const runControl = defineTool({
  name: "run_control",
  title: "Cancel or redrive a run",
  description:
    "cancel: ends a queued or running run; what it did already stays done. redrive: runs a failed run once more, with the same input and the version that is active now; do it once the cause is gone. Each run is redriven once.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    run: z.union([z.string().max(20), z.int().min(1)]).describe("such as R152"),
    action: z.enum(["cancel", "redrive"]),
  }),
  async handle(context, { run, action }) {
    switch (action) {
      case "cancel":
        return cancel(context, run);
      case "redrive":
        return redrive(context, run);
      default:
        return action satisfies never;
    }
  },
});

async function cancel({ store, client, traceId }: ToolContext, handle: string | number): Promise<string> {
  const run = await requestCancel({ store }, { run: handle, by: hostLabel(client), traceId });
  const name = formatRunId(run.id);
  if (run.state === "cancelled") return `${name} is cancelled.`;
  return `${name} is being cancelled. run_read {"run": "${name}", "wait_seconds": 10} tells when it has stopped.`;
}

async function redrive(context: ToolContext, handle: string | number): Promise<string> {
  if (context.agent !== undefined) requireGrantedJob(context, (await requireRun(context.store.db, handle)).job);
  const by = {
    trigger: context.agent === undefined ? "host" : "agent",
    requestedBy: hostLabel(context.client),
    traceId: context.traceId,
  } as const;
  const { from, as, created } = await redriveRun(context, handle, by);
  context.nudge();
  const [name, now] = [formatRunId(from.id), formatRunId(as)];
  const next = `run_read {"run": "${now}", "wait_seconds": 50} waits for its end.`;
  return created
    ? `${name} of ${from.job} runs once more as ${now}. Next: ${next}`
    : `${name} was redriven before, as ${now}. ${next}`;
}
