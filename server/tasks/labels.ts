import { UserError } from "../errors.ts";

const mostLabels = 20;
/** No quotes and backslashes, so that a label is found in the JSON as it stands; no commas, which part them where people write them. */
const label = /^[^\s"\\,\p{C}][^"\\,\p{C}]{0,48}$/u;

/** Labels as they are kept: sorted, each once. Throws invalid_argument. */
export function cleanLabels(labels: readonly string[]): string[] {
  const clean = [...new Set(labels.map((each) => each.trim()))].sort();
  const bad = clean.find((each) => !label.test(each) || !each.isWellFormed());
  if (bad !== undefined) {
    const shown = bad.replace(/[^\x20-\x7e]+/g, "?").slice(0, 30);
    throw new UserError("invalid_argument", `"${shown}" is no label: 1 to 49 characters without quotes and commas.`);
  }
  if (clean.length > mostLabels) throw new UserError("invalid_argument", `At most ${mostLabels} labels on a task.`);
  return clean;
}

/** The labels of a row. */
export function readLabels(labels: string): string[] {
  const parsed: unknown = JSON.parse(labels);
  return Array.isArray(parsed) ? parsed.filter((each) => typeof each === "string") : [];
}
