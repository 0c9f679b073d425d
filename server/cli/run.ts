import { Command } from "commander";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { formatTime } from "../format-time.ts";
import { personCommand } from "../person-command.ts";
import { formatRunId } from "../runs/run-id.ts";
import { awaitRun } from "./await-run.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { runAnswer } from "./run-answer.ts";
import { runText } from "./run-text.ts";
import { jsonText, ownTimezone, stateText } from "./show-list.ts";

type Options = { input?: string; dedupeKey?: string; at?: string; in?: string; wait?: boolean; json?: boolean };

/** `jr run NAME`: starts the approved version now, or once at a later time. */
export function command(context: CliContext): Command {
  return new Command("run")
    .description("run a job's approved version now, or once at a later time")
    .argument("<name>", "the job")
    .option("--input <json>", "its input")
    .option("--dedupe-key <key>", "the same key never starts a second run")
    .option("--at <time>", "not now but then, such as 2026-12-01T08:00, in the time zone of config.yaml")
    .option("--in <duration>", "not now but after so long, such as 2h")
    .option("--wait", "wait for the end; the exit code tells whether it succeeded")
    .option("--json", "print JSON")
    .action((name: string, options: Options) => start(context, name, options));
}

async function start(
  context: CliContext,
  name: string,
  { input, dedupeKey, wait, json, ...when }: Options,
): Promise<void> {
  const body = { ...(input === undefined ? {} : { input: parseInput(input) }), dedupe_key: dedupeKey, ...when };
  const client = await connectDaemon(context);
  const answer = z.object({ run: runAnswer, created: z.boolean() });
  const asked = await client.post(`/api/jobs/${encodeURIComponent(name)}/runs`, body, answer);
  const handle = formatRunId(asked.run.id);
  if (!asked.created) say(context, `${handle} was started before with this key; no second run.`);
  if (!wait) {
    const { run } = asked;
    print(context, json ? jsonText(run) : `${handle} ${stateText(context, run.state)}${dueText(run, when)}`);
    if (!json) say(context, `to follow it: ${personCommand(context.home, "log", handle, "-f")}`);
    return;
  }
  const run = await awaitRun(context, client, asked.run.id);
  print(context, json ? jsonText(run) : runText(context, { run, attempts: [], event: null, waits_for: null }));
  if (run.state !== "succeeded") {
    throw new UserError("run_failed", `${handle} ended as ${run.state}.`, {
      next: personCommand(context.home, "log", handle),
    });
  }
}

function dueText({ run_at }: { run_at: Date }, { at, in: after }: Pick<Options, "at" | "in">): string {
  return at === undefined && after === undefined ? "" : `, starts ${formatTime(run_at, ownTimezone())}`;
}

/** JSON of a run's input. Throws `invalid_argument`. */
export function parseInput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError("invalid_argument", `--input is not JSON: ${text.slice(0, 80)}`, {
      next: `quote it for your shell, such as --input '{"limit": 3}'`,
      cause,
    });
  }
}
