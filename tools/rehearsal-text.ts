import { failsByItself, type RehearsalReport } from "../server/rehearsal/rehearsal-report.ts";
import { reportLines } from "../server/rehearsal/report-text.ts";
import { inline, untrusted } from "./fence.ts";
import { foldEnd } from "./fold.ts";

const shortChars = 1_500;

/** A report as a tool answers it: what it means first, then all that is known of it, fenced as untrusted. */
export function rehearsalText(title: string, name: string, report: RehearsalReport): string {
  const text = reportLines(report, { effects: 200, logLines: 50 }).join("\n");
  return [
    `# ${title}: nothing happened, nothing was stored`,
    meaning(report),
    untrusted("Rehearsal", foldEnd(text, "mock less of it, or read the source")),
    ...hints(name, report),
  ].join("\n\n");
}

/** At most twelve lines for the answer to a submission. */
export function submittedRehearsalText(name: string, report: RehearsalReport | null): string {
  if (report === null) return "Rehearsal: none.";
  const text = reportLines(report, { effects: 4, logLines: 0 }).join("\n");
  const warning = failsByItself(report) ? `\n**Warning**: ${meaning(report)}` : "";
  const next = report.unknownFrom === null && report.state !== "not_rehearsed" ? "" : `\n${mockHint(name)}`;
  return `${untrusted("Rehearsed without mocks", foldEnd(text, `job_rehearse {"name": "${name}"}`, shortChars))}${warning}${next}`;
}

function meaning(report: RehearsalReport): string {
  const { state, unknownFrom, error } = report;
  if (state === "not_rehearsed") return "It did not come to a rehearsal; the reason stands below.";
  if (failsByItself(report)) {
    return `It fails (${state}) although nothing was unknown, so a real run would fail too: ${inline(error ?? "no error", 300)}`;
  }
  return unknownFrom === null
    ? "Every effect was answered, by mocks, by the record or by what the effect itself knows."
    : `Unknown from effect ${unknownFrom} on: neither a mock nor a record answers it, so the job got an error there.`;
}

function hints(name: string, report: RehearsalReport): string[] {
  return report.unknownFrom === null ? [] : [`Next: ${mockHint(name)}`];
}

function mockHint(name: string): string {
  return `job_rehearse {"name": "${name}", "mocks": [{"op": "fetch", "match": {"url": "https://…*"}, "result": {"status": 200, "body": …}}]} or with "run": "R12" answers what is unknown.`;
}
