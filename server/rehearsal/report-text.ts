import type { RehearsalReport, RehearsedEffect } from "./rehearsal-report.ts";

type Shown = Readonly<{ effects: number; logLines: number }>;

/**
 * A report in lines of plain text, such as `succeeded: 2 GETs, 1 POST`; foreign throughout, so the caller fences it.
 * The first line is the summary.
 */
export function reportLines(report: RehearsalReport, shown: Shown): string[] {
  const { effects, effectCount, log, logCount, output, error } = report;
  const more = effectCount - Math.min(effects.length, shown.effects);
  const moreLog = logCount - Math.min(log.length, shown.logLines);
  return [
    summaryLine(report),
    ...(error === null ? [] : [`error: ${oneLine(error)}`]),
    ...effects.slice(0, shown.effects).map(effectText),
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...log.slice(0, shown.logLines).map(({ level, text }) => `log ${level}: ${oneLine(text)}`),
    ...(moreLog > 0 && shown.logLines > 0 ? [`… and ${moreLog} more lines of log`] : []),
    ...(output === null ? [] : [`output: ${oneLine(output)}`]),
  ];
}

export function reportText(report: RehearsalReport): string {
  return reportLines(report, { effects: 200, logLines: 50 }).join("\n");
}

function summaryLine({ state, effects, effectCount, unknownFrom }: RehearsalReport): string {
  if (state === "not_rehearsed") return "It was not rehearsed.";
  const unknown = unknownFrom === null ? "" : `; unknown from effect ${unknownFrom} on`;
  if (effectCount === 0) return `${state}: it touches nothing`;
  const known = effectCount > effects.length ? ` among the first ${effects.length} of ${effectCount}` : "";
  return `${state}: ${countsText(effects)}${known}${unknown}`;
}

/** How often each kind of effect was asked for, a fetch by its method. */
function countsText(effects: readonly RehearsedEffect[]): string {
  const counts = new Map<string, number>();
  for (const { op, argsText } of effects) {
    const kind = op === "fetch" ? (argsText.split(" ", 1)[0] ?? op) : op;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts]
    .map(([kind, count]) => `${count} ${kind}${/^[A-Z]+$/.test(kind) && count > 1 ? "s" : ""}`)
    .join(", ");
}

function effectText({ seq, op, argsText, answeredBy, error }: RehearsedEffect): string {
  const source = answeredBy === "own" ? "" : ` [${answeredBy}]`;
  const failed = error === undefined || answeredBy === "unknown" ? "" : ` -> ${oneLine(error)}`;
  return `${seq}. ${op} ${oneLine(argsText)}${source}${failed}`;
}

const lineChars = 400;

function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, " ");
  return flat.length <= lineChars ? flat : `${flat.slice(0, lineChars)}…`;
}
