import type { Review } from "../review/review.ts";
import { packageLines } from "../review/review-text.ts";
import { codeLines, keyLines, loud, reviewWords, type Terminal } from "./review-words.ts";

/** The review for a person: what widened first and loud, then the rest, then the code. */
export function reviewTerminal(review: Review, terminal: Terminal): string {
  const { paint, rule, list, head } = reviewWords(terminal);
  const first = review.base === null && review.active === null;
  return [
    rule,
    `${paint("bold", `${review.job} v${review.version}`)}  ${review.state}${review.base === null ? "" : `, compared with active v${review.base}`}`,
    ...list([review.description]),
    ...keyLines(review).map((line) => paint(["bold", "red"], line)),
    ...loud(review, first, paint, list),
    ...(review.narrowed.length === 0
      ? []
      : [...head("Narrowed"), ...list(review.narrowed).map((line) => paint("green", line))]),
    ...head("Proposed"),
    ...list([`by ${review.proposedBy}, ${review.proposedAt}`, `note: ${review.note ?? "none"}`]),
    ...head("Schedule"),
    ...(review.schedules.length > 0
      ? []
      : [`  none${review.triggers.length === 0 ? ": it runs when it is asked to" : ""}`]),
    ...review.schedules.flatMap(({ words, cron, timezone, next, rules }) => [
      ...list([`${words} (${cron}, ${timezone})`, rules]),
      ...(next.length === 0 ? [paint("yellow", "    never fires")] : next.map((time) => `    ${time}`)),
    ]),
    ...(review.triggers.length === 0 ? [] : [...head("Started"), ...list(review.triggers)]),
    ...(review.priority === null ? [] : [...head("Priority"), ...list([review.priority])]),
    ...head("May"),
    ...list(review.permissions.length === 0 ? ["nothing outside the sandbox"] : review.permissions),
    ...list([`limits: ${review.limits}`]),
    ...(review.runsOn.length === 0 ? [] : list([`runs only on machines with the labels: ${review.runsOn.join(", ")}`])),
    ...head("Packages"),
    ...list(review.packages.length + review.packagesGone.length === 0 ? ["none"] : packageLines(review)),
    ...head("Checks"),
    ...list(review.checks.length === 0 ? ["no warnings"] : review.checks),
    ...(review.rehearsal.length === 0
      ? []
      : [...head("What it did when it was rehearsed, without mocks"), ...list(review.rehearsal)]),
    ...(review.behaviour.length === 0
      ? []
      : [...head("What it would have done differently"), ...list(review.behaviour)]),
    ...head(review.base === null ? "Code" : `Code, changes since v${review.base}`),
    ...codeLines(review, paint),
    ...head("Hashes"),
    ...list([
      `source   ${review.hashes.source}`,
      `bundle   ${review.hashes.bundle}`,
      `manifest ${review.hashes.manifest}`,
    ]),
    rule,
  ].join("\n");
}
