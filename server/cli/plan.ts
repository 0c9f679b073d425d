import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { diagnosticSchema } from "../jobs/diagnostic.ts";
import { mocksSchema } from "../rehearsal/mocks.ts";
import { failsByItself, rehearsalReportSchema } from "../rehearsal/rehearsal-report.ts";
import { reportText } from "../rehearsal/report-text.ts";
import { visibleText } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { diagnosticText, readJob } from "./read-job.ts";
import { parseInput } from "./run.ts";
import { jsonText } from "./show-list.ts";

type Options = { name?: string; input?: string; event?: string; mocks?: string; run?: string; json?: boolean };

/** `jr plan FILE`: what a job would do. Nothing is stored, and nothing happens. */
export function command(context: CliContext): Command {
  return new Command("plan")
    .description("show what a job in a file would do: nothing is stored, and nothing happens")
    .argument("<file>", "NAME.ts, or a folder NAME with index.ts")
    .option("--name <name>", "the job's name, where it is not the file's")
    .option("--input <json>", "its input")
    .option("--event <file>", 'JSON: what starts it, such as {"kind": "webhook", "body": "{}"}')
    .option("--mocks <file>", "JSON: answers, [{op, match, result or error, times}]")
    .option("--run <run>", "a run of the same job, such as R12, whose record answers")
    .option("--json", "print JSON")
    .action((file: string, options: Options) => plan(context, resolve(file), options));
}

const warnings = z.array(diagnosticSchema);
const planAnswer = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.literal("rejected"), diagnostics: warnings }),
  z.object({ outcome: z.literal("rehearsed"), report: rehearsalReportSchema, warnings }),
]);

async function plan(
  context: CliContext,
  path: string,
  { name, input, event, mocks, run, json }: Options,
): Promise<void> {
  const job = name ?? basename(path).replace(/\.ts$/, "");
  const body = {
    name: job,
    ...(await readJob(path)),
    ...(input === undefined ? {} : { input: parseInput(input) }),
    ...(event === undefined ? {} : { event: await readJson(resolve(event)) }),
    ...(mocks === undefined ? {} : { mocks: await readMocks(resolve(mocks)) }),
    run,
  };
  const client = await connectDaemon(context);
  const result = await client.post("/api/rehearsals", body, planAnswer);
  if (json) print(context, jsonText(result));
  if (result.outcome === "rejected") {
    if (!json) for (const each of result.diagnostics) say(context, diagnosticText(each));
    throw new UserError("compile_failed", `${job} does not pass the checks: nothing was rehearsed.`);
  }
  if (json) return;
  for (const each of result.warnings) say(context, diagnosticText(each));
  print(context, visibleText(reportText(result.report)));
  if (failsByItself(result.report)) say(context, "It fails without any answer missing: a real run would do the same.");
}

async function readMocks(path: string): Promise<unknown> {
  const mocks = mocksSchema.safeParse(await readJson(path));
  if (mocks.success) return mocks.data;
  throw new UserError("invalid_argument", `${path}: ${z.prettifyError(mocks.error)}`);
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new UserError("invalid_argument", `Cannot read ${path}: ${messageOf(cause)}.`, { cause });
  }
}
