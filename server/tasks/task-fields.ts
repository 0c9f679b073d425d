import { UserError } from "../errors.ts";
import type { TaskComplexity, TaskUrgency } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import { cleanLabels } from "./labels.ts";
import { cleanTitle } from "./task-title.ts";

/** Most characters of a body, a note or a result. */
export const longestText = 50_000;

/** What can be said of a task and changed later. */
export type TaskFields = Readonly<{
  title: string;
  /** Markdown. */
  body: string | null;
  priority: number;
  urgency: TaskUrgency;
  complexity: TaskComplexity;
  labels: readonly string[];
  due: Date | null;
  assignee: string | null;
  openTo: "host" | "person" | null;
}>;

/** Given fields as columns, checked. Throws invalid_argument. */
export function fieldColumns(fields: { [K in keyof TaskFields]?: TaskFields[K] | undefined }) {
  const { title, body, priority, urgency, complexity, labels, due, assignee, openTo } = fields;
  return {
    ...(title === undefined ? {} : { title: checkedTitle(title) }),
    ...(body === undefined ? {} : { body: checkedText(body) }),
    ...(priority === undefined ? {} : { priority: checkedPriority(priority) }),
    ...(urgency === undefined ? {} : { urgency }),
    ...(complexity === undefined ? {} : { complexity }),
    ...(labels === undefined ? {} : { labels: JSON.stringify(cleanLabels(labels)) }),
    ...(due === undefined ? {} : { due }),
    ...(assignee === undefined ? {} : { assignee: assignee === null ? null : cleanTitle(assignee) || null }),
    ...(openTo === undefined ? {} : { open_to: openTo }),
  };
}

/** A body, note or result as it is kept; null where it is blank. Throws invalid_argument where it is too long. */
export function checkedText(text: string | null): string | null {
  if (text === null || text.trim() === "") return null;
  if (text.length > longestText) {
    throw new UserError("invalid_argument", `At most ${longestText} characters: ${text.length} were given.`, {
      next: "put it into a file or an artifact, and name that",
    });
  }
  return storableText(text.replaceAll("\r\n", "\n"));
}

function checkedTitle(title: string): string {
  const clean = cleanTitle(title);
  if (clean === "") throw new UserError("invalid_argument", "A task needs a title.");
  return clean;
}

function checkedPriority(priority: number): number {
  if (Number.isInteger(priority) && Math.abs(priority) <= 100) return priority;
  throw new UserError("invalid_argument", "A priority is a whole number from -100 to 100.");
}
