import { formatMs, formatTime } from "../format-time.ts";
import { personCommand } from "../person-command.ts";
import { visibleLine, visibleText } from "../review/visible-text.ts";
import { readRunError } from "../runs/run-error.ts";
import { formatRunId } from "../runs/run-id.ts";
import type { CliContext } from "./context.ts";
import { painter } from "./paint.ts";
import type { RunAnswer, RunDetails } from "./run-answer.ts";
import { ownTimezone, stateText } from "./show-list.ts";

const shownEvent = 2_000;

/** What became of a run: state, times, error with its source line, output. Foreign text is made visible. */
export function runText(context: CliContext, { run, attempts, event, waits_for }: RunDetails): string {
  const zone = ownTimezone();
  const error = readRunError(run.error);
  const { started_at, finished_at } = run;
  return [
    `${formatRunId(run.id)} ${run.job}${run.version === null ? "" : ` v${run.version}`}  ${stateText(context, run.state)}`,
    `asked for  ${originText(run)}, ${formatTime(run.created_at, zone)}`,
    `started    ${started_at === null ? `not yet, due ${formatTime(run.run_at, zone)}` : formatTime(started_at, zone)}`,
    ...(waits_for === null ? [] : [painter(context)("yellow", `waits      ${visibleLine(waits_for)}`)]),
    ...(finished_at === null ? [] : [`ended      ${formatTime(finished_at, zone)}${tookText(run)}`]),
    ...attempts.map(
      ({ attempt, state, worker }) => `attempt ${attempt}  ${stateText(context, state)} on ${visibleLine(worker)}`,
    ),
    ...redriveLines(context, run),
    `trace      ${visibleLine(run.trace_id)}`,
    ...(run.input === null ? [] : [`input      ${visibleLine(run.input)}`]),
    ...(event === null ? [] : [`event      ${visibleLine(JSON.stringify(event)).slice(0, shownEvent)}`]),
    ...(error === null ? [] : errorLines(context, error)),
    ...(run.output === null ? [] : ["output", visibleText(JSON.stringify(JSON.parse(run.output), null, 2))]),
  ].join("\n");
}

function redriveLines({ home }: CliContext, { id, dead, redrive_of, redriven_as }: RunAnswer): string[] {
  return [
    ...(redrive_of === null ? [] : [`repeats    ${formatRunId(redrive_of)}`]),
    ...(redriven_as === null ? [] : [`redriven   as ${formatRunId(redriven_as)}`]),
    ...(dead ? [`dead       once more: ${personCommand(home, "redrive", formatRunId(id))}`] : []),
  ];
}

/** Who or what asked for a run. */
export function originText({ trigger, slot, parent_run, requested_by }: RunAnswer): string {
  if (trigger === "after" && parent_run !== null) return `after ${formatRunId(parent_run)}`;
  if (trigger === "files" || trigger === "webhook") return trigger;
  if (trigger === "schedule") return slot === null ? "schedule" : `slot ${formatTime(slot, ownTimezone())}`;
  return `by ${visibleLine(requested_by)}`;
}

/** How long a run took, "" where it has not ended. */
export function tookText({ started_at, finished_at }: RunAnswer): string {
  return started_at === null || finished_at === null
    ? ""
    : `, after ${formatMs(finished_at.getTime() - started_at.getTime())}`;
}

function errorLines(context: CliContext, error: NonNullable<ReturnType<typeof readRunError>>): string[] {
  const at =
    error.file === undefined ? "" : ` at ${visibleLine(error.file)}:${error.line ?? "?"}:${error.column ?? "?"}`;
  const stack = error.stack?.includes(error.message)
    ? error.stack
    : [error.message, error.stack ?? ""].join("\n").trim();
  return [painter(context)("red", `error      ${error.reason} (${error.class})${at}`), visibleText(stack)];
}
