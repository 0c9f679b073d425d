import { formatMs, formatTime } from "../server/format-time.ts";
import { formatRunId } from "../server/runs/read.ts";
import { readRunError } from "../server/runs/run-error.ts";
import type { RunEvent } from "../server/runs/triggers/run-event.ts";
import type { Row } from "../server/store/tables.ts";
import { inline, untrusted } from "./fence.ts";

/** A run in one line of a list. */
export function runLine(run: Row<"runs">, timezone: string): string {
  const version = run.version === null ? "" : ` v${run.version}`;
  const error = readRunError(run.error);
  const parts = [
    `**${formatRunId(run.id)}** ${run.job}${version} ${run.state}`,
    origin(run, timezone),
    run.started_at === null ? `due ${formatTime(run.run_at, timezone)}` : formatTime(run.started_at, timezone),
    ...(run.started_at !== null && run.finished_at !== null ? [took(run.started_at, run.finished_at)] : []),
    ...(error === null ? [] : [`${error.reason}: ${inline(error.message, 120)}`]),
  ];
  return `- ${parts.join(" · ")}`;
}

/** What became of a run, whole enough that nothing else needs to be read when all went well. */
export function runSummary(
  run: Row<"runs">,
  attempts: readonly Row<"attempts">[],
  timezone: string,
  { event, waitsFor }: Readonly<{ event: RunEvent | null; waitsFor: string | undefined }>,
): string {
  const error = readRunError(run.error);
  const version = run.version === null ? "" : ` v${run.version}`;
  return [
    `# ${formatRunId(run.id)} ${run.job}${version}: ${run.state}`,
    `- ${origin(run, timezone)}, asked for by ${inline(run.requested_by)} at ${formatTime(run.created_at, timezone)}`,
    `- started ${run.started_at === null ? `not yet, due ${formatTime(run.run_at, timezone)}` : formatTime(run.started_at, timezone)}`,
    ...(waitsFor === undefined ? [] : [`- it waits: ${inline(waitsFor, 400)}`]),
    ...(run.finished_at === null
      ? []
      : [
          `- ended ${formatTime(run.finished_at, timezone)}${run.started_at === null ? "" : `, after ${took(run.started_at, run.finished_at)}`}`,
        ]),
    `- attempts: ${attempts.length === 0 ? "none" : attempts.map((each) => `${each.attempt} ${each.state}`).join(", ")}`,
    ...(run.cancel_requested_by === null ? [] : [`- cancelling was asked for by ${inline(run.cancel_requested_by)}`]),
    ...(run.redrive_of === null ? [] : [`- repeats ${formatRunId(run.redrive_of)}, which had failed`]),
    ...(run.redriven_as === null ? [] : [`- redriven as ${formatRunId(run.redriven_as)}`]),
    ...(run.dead ? ["- dead letter: it failed for good, and nobody has dealt with it"] : []),
    `- trace ${run.trace_id}`,
    ...(run.input === null ? [] : ["", untrusted("Input", cut(run.input), "json")]),
    ...(event === null ? [] : ["", untrusted("Event", cut(JSON.stringify(event, null, 1)), "json")]),
    ...(error === null ? [] : ["", errorText(error)]),
    ...(run.output === null ? [] : ["", untrusted("Output", cut(run.output), "json")]),
  ].join("\n");
}

function errorText(error: NonNullable<ReturnType<typeof readRunError>>): string {
  const at = error.file === undefined ? "" : ` at ${inline(error.file)}:${error.line ?? "?"}:${error.column ?? "?"}`;
  const text = error.stack?.includes(error.message)
    ? error.stack
    : [error.message, error.stack ?? ""].join("\n").trim();
  return [`Reason: ${error.reason} (${error.class})${at}`, untrusted("Error", cut(text))].join("\n");
}

function origin(run: Row<"runs">, timezone: string): string {
  switch (run.trigger) {
    case "schedule":
      return run.slot === null ? "by schedule" : `by schedule, slot ${formatTime(run.slot, timezone)}`;
    case "person":
      return "by the person";
    case "host":
      return "by a host";
    case "agent":
      return "by an agent";
    case "job":
      return run.parent_run === null ? "by a job" : `by ${formatRunId(run.parent_run)}`;
    case "after":
      return run.parent_run === null ? "after another run" : `after ${formatRunId(run.parent_run)}`;
    case "files":
      return "by changed files";
    case "webhook":
      return "by its webhook";
    default:
      return run.trigger satisfies never;
  }
}

function took(from: Date, to: Date): string {
  return formatMs(to.getTime() - from.getTime());
}

const shownChars = 4_000;

function cut(text: string): string {
  return text.length <= shownChars
    ? text
    : `${text.slice(0, shownChars)}\n… ${text.length - shownChars} more characters`;
}
