import { z } from "zod";
import { UserError } from "../server/errors.ts";
import type { Diagnostic } from "../server/jobs/diagnostic.ts";
import { submitJob } from "../server/jobs/submit-job.ts";
import { jobName } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { inline } from "./fence.ts";
import { manifestText } from "./manifest-text.ts";
import { submittedRehearsalText } from "./rehearsal-text.ts";
import { hostLabel, type ToolContext } from "./tool-context.ts";

const shownDiagnostics = 40;

export const jobSubmit = defineTool({
  name: "job_submit",
  title: "Submit a job",
  description:
    "Compiles, type-checks and stores a new version of a job, which then waits for the person's signature; dry_run only checks. Read skill write-job first. Diagnostics name file, line and a hint.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    name: jobName.describe("lower-case letters, digits and dashes, such as feed-watch"),
    source: z.string().describe("the whole TypeScript file; or give files").optional(),
    files: z
      .record(z.string(), z.string())
      .describe("path to content, for a job of several files; index.ts is the entry")
      .optional(),
    note: z.string().max(2_000).describe("what changed and why, for the person").optional(),
    dry_run: z.boolean().default(false),
  }),
  async handle(context, { name, source, files, note, dry_run }) {
    const code = codeOf(source, files);
    const result = await submitJob(context, {
      name,
      ...code,
      note: note ?? null,
      dryRun: dry_run,
      proposedBy: hostLabel(context.client),
      writeFolder: true,
    });
    switch (result.outcome) {
      case "rejected":
        throw new UserError("compile_failed", `${name} was not accepted.\n\n${diagnosticsText(result.diagnostics)}`, {
          next: `correct the source, then job_submit {"name": "${name}", "source": …, "dry_run": true}`,
        });
      case "unchanged":
        return `${name} v${result.version} has exactly this content already; nothing changed. job_read {"name": "${name}"} tells its state.`;
      case "dry_run":
        return `${name} compiles and its manifest is complete; nothing was stored.\n\n${manifestText(result.manifest, context.clock())}${warningsText(result.warnings)}\n\n${submittedRehearsalText(name, result.rehearsal)}\n\nNext: job_submit without dry_run.`;
      case "created":
        return [
          `# ${name} v${result.version} waits for the person's approval`,
          `${manifestText(result.manifest, context.clock())}${warningsText(result.warnings)}`,
          submittedRehearsalText(name, result.rehearsal),
          await nextSteps(context, name, result.version, Object.keys(result.manifest.permissions.secrets)),
        ].join("\n\n");
      default:
        return result satisfies never;
    }
  },
});

function codeOf(source: string | undefined, files: Record<string, string> | undefined) {
  if (source !== undefined && files === undefined) return { source };
  if (files !== undefined && source === undefined) return { files: new Map(Object.entries(files)) };
  throw new UserError(
    "invalid_argument",
    "Give either source (one file) or files (path to content), not both and not neither.",
    {
      next: 'job_submit {"name": …, "source": …}',
    },
  );
}

/** What the person must do, in the order in which it must be done, and what to wait with. */
async function nextSteps(
  { approvals, secretNames, command }: ToolContext,
  name: string,
  version: number,
  secrets: string[],
) {
  const { setUp } = await approvals.status();
  const missing = secrets.filter((secret) => !secretNames().includes(secret));
  const commands = [
    ...(setUp ? [] : [command("setup")]),
    ...missing.map((secret) => command("secrets", "set", secret)),
    command("approve", name, `v${version}`),
  ];
  return [
    "Nothing of it runs until the person signs. Tell them what it does and may touch (skill approve-job), then give them exactly this:",
    `\`\`\`sh\n${commands.join("\n")}\n\`\`\``,
    `Then job_review {"name": "${name}", "wait_seconds": 50} waits for the decision.`,
  ].join("\n\n");
}

function diagnosticsText(diagnostics: readonly Diagnostic[]): string {
  const lines = diagnostics.slice(0, shownDiagnostics).map(diagnosticLine);
  const more = diagnostics.length - lines.length;
  return [...lines, ...(more > 0 ? [`- … and ${more} more`] : [])].join("\n");
}

function warningsText(warnings: readonly Diagnostic[]): string {
  return warnings.length === 0 ? "" : `\n\nWarnings:\n${diagnosticsText(warnings)}`;
}

function diagnosticLine({ file, line, column, message, hint }: Diagnostic): string {
  return `- ${inline(file)}:${line}:${column} ${inline(message, 500)}${hint === null ? "" : `\n  hint: ${inline(hint, 300)}`}`;
}
