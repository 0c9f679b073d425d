import { diff } from "node:util";

/** Unchanged lines shown around a change. */
const contextLines = 3;

/** One file of a code review. `lines` carry their mark (`+`, `-` or a space) first, and `@@ line N` heads each part of a changed file. */
export type FileDiff = Readonly<{ path: string; change: "added" | "removed" | "changed"; lines: readonly string[] }>;

/** What differs between two sets of text files, by path; files that are equal are left out. */
export function codeDiff(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): FileDiff[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path): FileDiff[] => {
    const old = before.get(path);
    const current = after.get(path);
    if (old === current) return [];
    if (current === undefined)
      return [{ path, change: "removed", lines: splitLines(old ?? "").map((line) => `-${line}`) }];
    if (old === undefined) return [{ path, change: "added", lines: splitLines(current).map((line) => `+${line}`) }];
    return [{ path, change: "changed", lines: hunks(splitLines(old), splitLines(current)) }];
  });
}

function splitLines(text: string): string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : [...lines, "⟨no newline at the end⟩"];
}

function hunks(before: string[], after: string[]): string[] {
  // node:util gives 1 for a line of its first argument alone and -1 for one of its second.
  const steps = diff(before, after);
  const near = new Set<number>();
  steps.forEach(([mark], index) => {
    if (mark !== 0) for (let i = index - contextLines; i <= index + contextLines; i++) near.add(i);
  });
  const lines: string[] = [];
  let lineNumber = 1;
  steps.forEach(([mark, line], index) => {
    if (near.has(index)) {
      if (index === 0 || !near.has(index - 1)) lines.push(`@@ line ${lineNumber}`);
      lines.push(`${mark === 0 ? " " : mark > 0 ? "-" : "+"}${line}`);
    }
    if (mark <= 0) lineNumber++;
  });
  return lines;
}
