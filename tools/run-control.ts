import { z } from "zod";
import { requestCancel } from "../server/runs/control.ts";
import { formatRunId } from "../server/runs/read.ts";
import { defineTool } from "./define-tool.ts";
import { hostLabel } from "./tool-context.ts";

export const runControl = defineTool({
  name: "run_control",
  title: "Cancel a run",
  description: "Cancels a queued or running run. What it did already stays done.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    run: z.union([z.string().max(20), z.int().min(1)]).describe("such as R152"),
    action: z.enum(["cancel"]),
  }),
  async handle({ store, client, traceId }, { run: handle }) {
    const run = await requestCancel({ store }, { run: handle, by: hostLabel(client), traceId });
    const name = formatRunId(run.id);
    if (run.state === "cancelled") return `${name} is cancelled; it had not started.`;
    return `${name} is being cancelled. run_read {"run": "${name}", "wait_seconds": 10} tells when it has stopped.`;
  },
});
