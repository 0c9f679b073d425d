import { z } from "zod";
import { UserError } from "../server/errors.ts";
import { pauseJob, resumeJob, retireJob } from "../server/jobs/control.ts";
import { requireVersion } from "../server/jobs/read.ts";
import { jobName, versionNumber } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { hostLabel } from "./tool-context.ts";

export const jobControl = defineTool({
  name: "job_control",
  title: "Pause, resume, retire",
  description:
    "pause stops a job's schedule; resume lifts a pause of an agent, never one of the person; retire ends the job and keeps its history; propose_rollback gives the person's command for going back to a version.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    name: jobName,
    action: z.enum(["pause", "resume", "retire", "propose_rollback"]),
    version: versionNumber.optional(),
    reason: z.string().max(500).describe("for pause and propose_rollback").optional(),
  }),
  async handle(context, { name, action, version, reason }) {
    const { store, client, traceId, command, nudge } = context;
    if (version !== undefined && action !== "propose_rollback") {
      throw new UserError("invalid_argument", `version belongs to propose_rollback, not to ${action}.`);
    }
    const by = { by: "agent", actor: hostLabel(client), traceId } as const;
    switch (action) {
      case "pause":
        await pauseJob(store.db, { job: name, reason: reason ?? null, ...by });
        return `${name} is paused: no slot starts it, and job_run refuses it. A run that is going on goes on (run_control cancels it). Lift it with job_control {"name": "${name}", "action": "resume"}.`;
      case "resume":
        await resumeJob(store.db, { job: name, ...by });
        nudge();
        return `${name} runs on schedule again. job_read {"name": "${name}"} shows its next slot.`;
      case "retire":
        await retireJob(store.db, { job: name, ...by });
        return `${name} is retired: it never runs again. Its versions and runs can still be read.`;
      case "propose_rollback": {
        if (version === undefined) {
          throw new UserError("invalid_argument", "propose_rollback needs version.", {
            next: `job_read {"name": "${name}", "part": "versions"}`,
          });
        }
        await requireVersion(store.db, name, version);
        return `Going back is the person's decision, since old code can have old faults. Tell them why v${version} is better${reason === undefined ? "" : ` (${reason})`} and give them exactly this:\n\n\`\`\`sh\n${command("activate", name, `v${version}`)}\n\`\`\`\n\nNothing has changed yet. job_read {"name": "${name}"} shows the active version.`;
      }
      default:
        return action satisfies never;
    }
  },
});
