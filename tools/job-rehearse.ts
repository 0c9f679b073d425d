import { z } from "zod";
import { UserError } from "../server/errors.ts";
import { mocksSchema } from "../server/rehearsal/mocks.ts";
import { rehearseJob } from "../server/rehearsal/rehearse-job.ts";
import { parseRunEvent } from "../server/runs/triggers/run-event.ts";
import { jobName, versionNumber } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { inline } from "./fence.ts";
import { rehearsalText } from "./rehearsal-text.ts";

const shownDiagnostics = 40;

export const jobRehearse = defineTool({
  name: "job_rehearse",
  title: "Rehearse a job",
  description:
    "What a version, or code that is not submitted, would do: effects are answered from mocks, then from a recorded run, and never performed. Needs no approval.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    name: jobName,
    version: versionNumber.describe("default: the newest").optional(),
    source: z.string().describe("instead of version, as in job_submit").optional(),
    files: z.record(z.string(), z.string()).describe("instead of source").optional(),
    input: z.json().optional(),
    event: z.looseObject({ kind: z.string() }).describe("what starts it, as run.event").optional(),
    mocks: mocksSchema.optional(),
    run: z.string().max(20).describe("a run of this job, such as R12, whose record answers").optional(),
  }),
  async handle(context, { name, files, event: given, ...wanted }) {
    const event = given === undefined ? undefined : parseRunEvent(given);
    const code = files === undefined ? {} : { files: new Map(Object.entries(files)) };
    const result = await rehearseJob(context, { ...wanted, ...code, name, event, signal: context.signal });
    if (result.outcome === "rejected") {
      const lines = result.diagnostics
        .slice(0, shownDiagnostics)
        .map(({ file, line, column, message }) => `- ${inline(file)}:${line}:${column} ${inline(message, 500)}`);
      throw new UserError("compile_failed", `${name} does not pass the checks.\n\n${lines.join("\n")}`, {
        next: `correct the source, then job_rehearse {"name": "${name}", "source": …}`,
      });
    }
    const which = result.version === null ? "the given code" : `v${result.version}`;
    return rehearsalText(`Rehearsal of ${name}, ${which}`, name, result.report);
  },
});
