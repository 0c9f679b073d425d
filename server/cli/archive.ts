import { Command, InvalidArgumentError } from "commander";
import { type ArchivedRun, listArchivedRuns, readArchivedRun } from "../backup/archived-runs.ts";
import { UserError } from "../errors.ts";
import { formatTime } from "../format-time.ts";
import { personCommand } from "../person-command.ts";
import { visibleLine, visibleText } from "../review/visible-text.ts";
import { formatRunId, parseRunId } from "../runs/run-id.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText, ownTimezone, stateText, tableText } from "./show-list.ts";

type Options = { job?: string; limit: number; json?: boolean };

/** `jr archive`: what is kept of runs that retention has deleted, read from the files of this machine. */
export function command(context: CliContext): Command {
  return new Command("archive")
    .description("list the runs that were archived on this machine, or print all that is kept of one")
    .argument("[run]", "such as R12")
    .option("--job <name>", "only runs of this job")
    .option("--limit <n>", "how many, latest first", wholeNumber, 50)
    .option("--json", "print JSON")
    .action((run: string | undefined, options: Options) =>
      run === undefined ? list(context, options) : show(context, run, options),
    );
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number from 1 on.");
  return value;
}

async function list(context: CliContext, { job, limit, json }: Options): Promise<void> {
  const runs = await listArchivedRuns(context.home.archive, { job, limit });
  if (json) return print(context, jsonText(runs));
  if (runs.length === 0)
    return say(context, "No run is archived here. retention.archive in config.yaml keeps what retention deletes.");
  const row = ({ id, job: name, state, finished_at }: ArchivedRun) => [
    formatRunId(id),
    visibleLine(name),
    stateText(context, state),
    formatTime(finished_at, ownTimezone()),
  ];
  print(context, tableText(context, ["RUN", "JOB", "STATE", "ENDED"], runs.map(row)));
  if (runs.length === limit) say(context, `there may be more: --limit ${limit * 2}`);
}

async function show(context: CliContext, run: string, { json }: Options): Promise<void> {
  const found = await readArchivedRun(context.home.archive, parseRunId(run));
  if (found === undefined)
    throw new UserError("run_not_found", `${visibleLine(run)} is not in the archive of this machine.`, {
      next: personCommand(context.home, "archive"),
    });
  const text = jsonText(found.record);
  print(context, json ? text : visibleText(text));
  say(context, `its artifacts and large contents: tar xzf '${found.file}'`);
}
