import { styleText } from "node:util";
import type { Review } from "../review/review.ts";
import { packageLines } from "../review/review-text.ts";

type Style = Parameters<typeof styleText>[0];

/** The review for a person: what widened first and loud, then the rest, then the code. */
export function reviewTerminal(review: Review, { colour, width }: { colour: boolean; width: number }): string {
  const paint = (style: Style, text: string) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const rule = paint("dim", "─".repeat(Math.min(width, 100)));
  const list = (lines: readonly string[], indent = "  ") => lines.flatMap((line) => wrap(line, width, indent));
  const head = (text: string) => ["", paint("bold", text)];
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

type Paint = (style: Style, text: string) => string;

function loud(review: Review, first: boolean, paint: Paint, list: (lines: readonly string[]) => string[]): string[] {
  if (review.base === null && !first) return [];
  if (review.widened.length === 0)
    return ["", paint("green", first ? "Asks for no permission." : "Nothing widened since the approved version.")];
  const title = first ? "ASKS FOR (first version, so all of it is new)" : `WIDENED since v${review.base}`;
  return [
    "",
    paint(["bold", "red", "inverse"], ` ${title} `),
    ...list(review.widened.map((line) => `! ${line}`)).map((line) => paint("red", line)),
  ];
}

function keyLines({ keys }: Review): string[] {
  return [
    ...(keys.problem === null ? [] : [`Nothing runs: ${keys.problem}`]),
    ...(keys.setUp ? [] : ["No signing key yet: jr setup"]),
    ...(keys.setUp && !keys.protected ? ["Signing key: unprotected (no passphrase)"] : []),
  ];
}

function codeLines({ code }: Review, paint: Paint): string[] {
  if (code.length === 0) return ["  no change"];
  return code.flatMap(({ path, change, lines }) => [
    paint("cyan", `  ${path} (${change})`),
    // Code keeps its own lines: wrapping could hide where one begins.
    ...lines.map((line) => paintLine(line, paint)),
  ]);
}

function paintLine(line: string, paint: Paint): string {
  if (line.startsWith("@@")) return paint("cyan", `  ${line}`);
  // An escaped character is what a reader must not miss, whatever colour its line has.
  const marked = line.replace(/⟨U\+[0-9A-F]+⟩/g, (mark) => paint("inverse", mark));
  if (line.startsWith("+")) return paint("green", `  ${marked}`);
  return line.startsWith("-") ? paint("red", `  ${marked}`) : `  ${marked}`;
}

function wrap(text: string, width: number, indent: string): string[] {
  const room = Math.max(20, Math.min(width, 120) - indent.length);
  return text.split("\n").flatMap((line) => {
    const lines = [""];
    for (const word of line.split(" ")) {
      const last = lines.length - 1;
      const current = lines[last] ?? "";
      if (current !== "" && current.length + 1 + word.length > room) lines.push(`  ${word}`);
      else lines[last] = current === "" ? word : `${current} ${word}`;
    }
    return lines.map((part) => `${indent}${part}`);
  });
}
