import { stripVTControlCharacters } from "node:util";
import type { CliContext } from "./context.ts";
import { painter } from "./paint.ts";

/** Columns under headings, for standard output; cells of foreign text must be made visible first. */
export function tableText(
  context: CliContext,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headings.map((heading, at) => Math.max(heading.length, ...rows.map((row) => width(row[at] ?? ""))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (at === cells.length - 1 ? cell : cell + " ".repeat((widths[at] ?? 0) - width(cell) + 2)))
      .join("")
      .trimEnd();
  return [painter(context)("bold", line(headings)), ...rows.map(line)].join("\n");
}

/** The state of a job, version or run, coloured by whether a person should look at it. */
export function stateText(context: CliContext, state: string): string {
  switch (state) {
    case "succeeded":
    case "active":
    case "approved":
    case "done":
      return painter(context)("green", state);
    case "failed":
    case "timed_out":
    case "out_of_memory":
    case "crashed":
    case "denied":
    case "needs_decision":
    case "rejected":
    case "revoked":
    case "lost":
    case "silent":
      return painter(context)("red", state);
    case "paused":
    case "pending":
    case "queued":
    case "running":
    case "suspended":
    case "draining":
    case "in_progress":
    case "waiting":
      return painter(context)("yellow", state);
    default:
      return painter(context)("dim", state);
  }
}

/** The zone in which this machine shows times. */
export function ownTimezone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** An answer for programs. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
