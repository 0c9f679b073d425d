import { basename, resolve } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { diagnosticSchema } from "../jobs/diagnostic.ts";
import { personCommand } from "../person-command.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { diagnosticText, readJob } from "./read-job.ts";
import { jsonText } from "./show-list.ts";

type Options = { name?: string; note?: string; dryRun?: boolean; json?: boolean };

/** `jr submit FILE`: hands a job to the daemon, which checks it and copies it into the jobs folder. */
export function command(context: CliContext): Command {
  return new Command("submit")
    .description("check a job and store it as a version that waits for your signature")
    .argument("<file>", "NAME.ts, or a folder NAME with index.ts")
    .option("--name <name>", "the job's name, where it is not the file's")
    .option("--note <text>", "what changed and why; shown in the review")
    .option("--dry-run", "check only")
    .option("--json", "print JSON")
    .action((file: string, options: Options) => submit(context, resolve(file), options));
}

const warnings = z.array(diagnosticSchema);
const submitAnswer = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.literal("created"), version: z.int(), warnings }),
  z.object({ outcome: z.literal("unchanged"), version: z.int(), state: z.string(), warnings }),
  z.object({ outcome: z.literal("dry_run"), warnings }),
  z.object({ outcome: z.literal("rejected"), diagnostics: z.array(diagnosticSchema) }),
]);

async function submit(context: CliContext, path: string, { name, note, dryRun, json }: Options): Promise<void> {
  const content = await readJob(path);
  const job = name ?? basename(path).replace(/\.ts$/, "");
  const client = await connectDaemon(context);
  const body = { name: job, ...content, note: note ?? null, dry_run: dryRun ?? false };
  const result = await client.post("/api/jobs", body, submitAnswer);
  if (result.outcome === "rejected") {
    if (json) print(context, jsonText(result));
    else for (const each of result.diagnostics) say(context, diagnosticText(each));
    throw new UserError("compile_failed", `${job} was not accepted: ${count(result.diagnostics.length)}.`);
  }
  if (json) return print(context, jsonText(result));
  for (const each of result.warnings) say(context, diagnosticText(each));
  switch (result.outcome) {
    case "created":
      print(context, `Stored: ${job} v${result.version}, which waits for your signature.`);
      return say(context, `to review and sign: ${personCommand(context.home, "approve", job)}`);
    case "unchanged":
      return print(context, `Unchanged: ${job} v${result.version} (${result.state}) has exactly this content.`);
    case "dry_run":
      return print(context, `${job} is in order; nothing was stored.`);
    default:
      return result satisfies never;
  }
}

function count(problems: number): string {
  return problems === 1 ? "1 problem" : `${problems} problems`;
}
