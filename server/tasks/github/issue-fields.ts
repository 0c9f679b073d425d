import { z } from "zod";
import type { Row } from "../../store/tables.ts";
import { cleanLabels, readLabels } from "../labels.ts";
import { longestText } from "../task-fields.ts";
import { hasEnded } from "../task-states.ts";
import { cleanTitle } from "../task-title.ts";

/** What a task and an issue have in common, in one form for both, so that two of them can be compared. */
export const sharedFields = z.strictObject({
  title: z.string(),
  body: z.string(),
  /** `dropped`: ended without being done. */
  state: z.enum(["open", "done", "dropped"]),
  labels: z.array(z.string()),
});
export type SharedFields = z.infer<typeof sharedFields>;

/** An issue as GitHub's REST API gives it; what is not needed is left out. */
export const issueSchema = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]),
  state_reason: z.string().nullish(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string().nullish() })])),
  updated_at: z.coerce.date(),
  pull_request: z.unknown().optional(),
});
export type Issue = z.infer<typeof issueSchema>;

const markerPattern = /\s*<!-- jobrunner:([0-9a-f-]{36}) -->\s*$/;
const mostLabels = 20;

/** The fields of a task. */
export function fieldsOfTask(task: Row<"tasks">): SharedFields {
  const state = task.state === "done" ? "done" : hasEnded(task.state) ? "dropped" : "open";
  return { title: task.title, body: cleanBody(task.body), state, labels: readLabels(task.labels) };
}

/** The fields of an issue; labels that no task can have are left out. */
export function fieldsOfIssue(issue: Issue): SharedFields {
  const dropped = issue.state_reason === "not_planned" || issue.state_reason === "duplicate";
  return {
    title: cleanTitle(issue.title) || `Issue ${issue.number}`,
    body: cleanBody(issue.body ?? null),
    state: issue.state === "open" ? "open" : dropped ? "dropped" : "done",
    labels: splitLabels(issue).fitting,
  };
}

/** The names of an issue's labels: those that a task can have, and the others. */
export function splitLabels({ labels }: Issue): { fitting: string[]; others: string[] } {
  const names = labels.flatMap((label) => (typeof label === "string" ? label : (label.name ?? [])));
  const fitting = cleanLabels(names.filter(isLabel).slice(0, mostLabels));
  return { fitting, others: names.filter((name) => !fitting.includes(name.trim())) };
}

function isLabel(name: string): boolean {
  try {
    return cleanLabels([name]).length === 1;
  } catch {
    return false;
  }
}

/** A body with the mark by which an issue is found again whose number was never heard of. */
export function markBody(body: string, marker: string): string {
  return `${body}\n\n<!-- jobrunner:${marker} -->`;
}

/** The mark in an issue's body, if it has one. */
export function findMarker({ body }: Issue): string | undefined {
  return markerPattern.exec(body ?? "")?.[1];
}

function cleanBody(body: string | null): string {
  return (body ?? "").replaceAll("\r\n", "\n").replace(markerPattern, "").trimEnd().slice(0, longestText);
}
