import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { z } from "zod";
import { formatTime } from "../format-time.ts";
import { visibleText } from "../review/visible-text.ts";
import { formatRunId, parseRunId } from "../runs/run-id.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { painter } from "./paint.ts";
import { logLineAnswer } from "./run-answer.ts";
import { ownTimezone, stateText } from "./show-list.ts";

type Options = { follow?: boolean; tail: string; attempt?: string; json?: boolean };
type Line = z.infer<typeof logLineAnswer>;

/** How often a log that is followed is asked for. */
const followMs = 400;

/** `jr log R12`: what a run logged; `-f` goes on until it has ended. */
export function command(context: CliContext): Command {
  return new Command("log")
    .description("show a run's log")
    .argument("<run>", "such as R12")
    .option("-f, --follow", "go on until the run has ended")
    .option("--tail <n>", "how many lines from the end", "200")
    .option("--attempt <n>", "the latest where none is given")
    .option("--json", "print a line of JSON for each line")
    .action((run: string, options: Options) => show(context, parseRunId(run), options));
}

const logAnswer = z.object({
  lines: z.array(logLineAnswer),
  before: z.int(),
  next: z.string(),
  state: z.string(),
  ended: z.boolean(),
});

async function show(context: CliContext, id: number, { follow, tail, attempt, json }: Options): Promise<void> {
  const client = await connectDaemon(context);
  const path = `/api/runs/${id}/log`;
  const query = new URLSearchParams({ tail, ...(attempt && { attempt }) });
  let page = await client.get(`${path}?${query}`, logAnswer);
  if (page.before > 0) say(context, `(${page.before} earlier lines: --tail ${page.before + page.lines.length})`);
  const write = (lines: readonly Line[]) => {
    for (const line of lines) print(context, json ? JSON.stringify(line) : lineText(context, line));
  };
  write(page.lines);
  // The first answer shows one attempt's end alone; a followed log asks once more for what came in between.
  while (follow) {
    const wasEnded = page.ended;
    page = await client.get(`${path}?${new URLSearchParams({ after: page.next })}`, logAnswer);
    write(page.lines);
    if (wasEnded && page.ended && page.lines.length === 0) break;
    if (!page.ended) await pause(context);
  }
  if (!json) say(context, `${formatRunId(id)} ${stateText(context, page.state)}`);
}

async function pause({ signal }: CliContext): Promise<void> {
  await delay(followMs, undefined, { signal });
}

function lineText(context: CliContext, { at, level, text }: Line): string {
  const shown =
    level === "error" ? painter(context)("red", level) : level === "warn" ? painter(context)("yellow", level) : level;
  return `${painter(context)("dim", formatTime(at, ownTimezone()))} ${shown} ${visibleText(text)}`;
}
