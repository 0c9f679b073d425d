import { Command } from "commander";
import { z } from "zod";
import { type ErrorCode, errorCodes, UserError } from "../errors.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { type DeadOptions, deadChoice } from "./dead-choice.ts";
import { jsonText } from "./show-list.ts";

const codes = Object.keys(errorCodes);
const answer = z.object({
  redriven: z.array(z.object({ run: z.string(), job: z.string(), as: z.string(), created: z.boolean() })),
  refused: z.array(
    z.object({
      run: z.string(),
      code: z.custom<ErrorCode>((code) => typeof code === "string" && codes.includes(code)),
      message: z.string(),
      next: z.string().nullable(),
    }),
  ),
});

/** `jr redrive R152`: asks once more for what a failed run was asked for. */
export function command(context: CliContext): Command {
  return new Command("redrive")
    .description("run failed runs once more: same input, same slot, the version that is active now")
    .argument("[runs...]", "such as R152")
    .option("--job <name>", "the dead letters of this job instead, at most 1,000")
    .option("--reason <code>", "of these, only with this reason, such as fetch_failed")
    .option("--since <time>", "of these, only what ended within this time, such as 2d")
    .option("--json", "print JSON")
    .action((handles: string[], options: DeadOptions & { json?: boolean }) => redrive(context, handles, options));
}

async function redrive(
  context: CliContext,
  handles: readonly string[],
  { json, ...options }: DeadOptions & { json?: boolean },
): Promise<void> {
  const body = deadChoice(handles, options);
  const client = await connectDaemon(context);
  const { redriven, refused } = await client.post("/api/dead/redrive", body, answer);
  if (json) print(context, jsonText({ redriven, refused }));
  else {
    for (const { run, job, as, created } of redriven) {
      print(
        context,
        created ? `${run} of ${job} runs once more as ${as}.` : `${run} of ${job} was redriven before, as ${as}.`,
      );
    }
    if (redriven.length + refused.length === 0) say(context, "No dead letters fit.");
  }
  const [first, ...others] = refused;
  if (first === undefined) return;
  for (const { run, message } of others) say(context, `${run} was refused: ${message}`);
  throw new UserError(
    first.code,
    `${first.run} was refused: ${first.message}`,
    first.next === null ? {} : { next: first.next },
  );
}
