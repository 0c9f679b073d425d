import { isWithin } from "../../jobs/freeze-path.ts";
import { changedMs, type FileMarks, type Scan } from "./scan-files.ts";

export type FileChange = Readonly<{ path: string; change: "added" | "changed" | "deleted" }>;

/** What the job's own run did to a file, and when (milliseconds since the epoch). */
export type OwnWrite = Readonly<{ path: string; op: "write" | "delete"; fromMs: number; untilMs: number }>;

/** Clocks of file systems stand still for so long. */
const clockStepMs = 50;

/** What differs, by path. A watched folder that is gone altogether tells nothing: it may be a disk that is not there now. */
export function findChanges(before: FileMarks, { marks, absent }: Scan): FileChange[] {
  const changes: FileChange[] = [];
  for (const [path, mark] of marks) {
    const was = before.get(path);
    if (was !== mark) changes.push({ path, change: was === undefined ? "added" : "changed" });
  }
  for (const path of before.keys()) {
    const unknown = absent.some((root) => root !== path && isWithin(path, root));
    if (!marks.has(path) && !unknown) changes.push({ path, change: "deleted" });
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether a change is the last thing that the job itself did to that file. */
export function isOwn({ path, change }: FileChange, marks: FileMarks, writes: readonly OwnWrite[]): boolean {
  const last = writes.findLast((write) => write.path === path);
  if (last === undefined) return false;
  if (change === "deleted") return last.op === "delete";
  const mark = marks.get(path);
  if (last.op === "delete" || mark === undefined) return false;
  const at = changedMs(mark);
  return at >= last.fromMs - clockStepMs && at <= last.untilMs + clockStepMs;
}

/** The marks once these changes have been dealt with; everything else stays as it was. */
export function applyChanges(before: FileMarks, marks: FileMarks, changes: readonly FileChange[]): Map<string, string> {
  const after = new Map(before);
  for (const { path } of changes) {
    const mark = marks.get(path);
    if (mark === undefined) after.delete(path);
    else after.set(path, mark);
  }
  return after;
}
