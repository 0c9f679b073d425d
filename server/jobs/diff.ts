import { diff } from "node:util";

const contextLines = 3;
/** Files with more lines than this are shown as replaced: an exact diff of them would take seconds. */
const exactLines = 20_000;

type Texts = ReadonlyMap<string, string>;
/** A line with its mark as a unified diff has it. */
type Step = Readonly<{ mark: " " | "-" | "+"; line: string }>;

/** What differs between two sets of files, by path, as a unified diff with three lines of context; "" where nothing does. */
export function unifiedDiff(before: Texts, after: Texts): string {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  const parts = paths.flatMap((path) => {
    const old = before.get(path);
    const current = after.get(path);
    if (old === current) return [];
    const from = old === undefined ? "/dev/null" : `a/${path}`;
    const to = current === undefined ? "/dev/null" : `b/${path}`;
    return [`--- ${from}\n+++ ${to}\n${hunks(toLines(old ?? ""), toLines(current ?? ""))}`];
  });
  return parts.join("");
}

const noNewline = "\\ No newline at end of file";

/** Lines with their ends left off; a missing end of the last one shows, so that it counts as a difference. */
function toLines(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  return last === "" ? lines : [...lines, `${last}\n${noNewline}`];
}

function hunks(before: string[], after: string[]): string {
  const steps = compare(before, after);
  const changed = steps.flatMap(({ mark }, index) => (mark === " " ? [] : [index]));
  const ranges: { start: number; end: number }[] = [];
  for (const index of changed) {
    const start = Math.max(0, index - contextLines);
    const end = Math.min(steps.length, index + contextLines + 1);
    const last = ranges.at(-1);
    if (last !== undefined && start <= last.end) last.end = end;
    else ranges.push({ start, end });
  }
  return ranges.map(({ start, end }) => hunk(steps, start, end)).join("");
}

function hunk(steps: readonly Step[], start: number, end: number): string {
  const count = (from: number, to: number, other: Step["mark"]) =>
    steps.slice(from, to).filter(({ mark }) => mark !== other).length;
  const range = (other: Step["mark"]) => {
    const size = count(start, end, other);
    const first = count(0, start, other) + (size === 0 ? 0 : 1);
    return size === 1 ? `${first}` : `${first},${size}`;
  };
  const body = steps.slice(start, end).map(({ mark, line }) => `${mark}${line}\n`);
  return `@@ -${range("+")} +${range("-")} @@\n${body.join("")}`;
}

function compare(before: string[], after: string[]): Step[] {
  const replaced = (): Step[] => [
    ...before.map((line) => ({ mark: "-", line }) as const),
    ...after.map((line) => ({ mark: "+", line }) as const),
  ];
  if (before.length + after.length > exactLines) return replaced();
  // node:util gives 1 for a line of its first argument alone and -1 for one of its second.
  return diff(before, after).map(([mark, line]) => ({ mark: mark === 0 ? " " : mark > 0 ? "-" : "+", line }));
}
