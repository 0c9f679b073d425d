import { formatTime } from "../server/format-time.ts";
import { formatRunId } from "../server/runs/run-id.ts";
import type { Row } from "../server/store/tables.ts";
import { formatDue } from "../server/tasks/due.ts";
import { readLabels } from "../server/tasks/labels.ts";
import type { NamedTask, TaskWhole } from "../server/tasks/read-task.ts";
import { formatTaskId } from "../server/tasks/task-id.ts";
import { fence, inline, untrusted } from "./fence.ts";
import { foldEnd } from "./fold.ts";

/** A task in one line of a list: what is usual is left out. */
export function taskLine(task: Row<"tasks">): string {
  return `- **${formatTaskId(task.id)}** ${inline(task.title, 120)} · ${[standing(task), ...traits(task)].join(" · ")}`;
}

/** Another task in a few words. */
export function namedTask({ id, title, state }: NamedTask): string {
  return `${formatTaskId(id)} ${inline(title, 60)} (${state})`;
}

/** A task with its neighbours and the end of its history. */
export function taskText(whole: TaskWhole, timezone: string): string {
  const { task, parent, needs, neededBy, parts, history, earlier } = whole;
  const names = (label: string, others: readonly NamedTask[]) =>
    others.length === 0
      ? []
      : [
          `- ${label}: ${others.slice(0, shown).map(namedTask).join("; ")}${others.length > shown ? `; ${others.length - shown} more` : ""}`,
        ];
  return [
    `# ${formatTaskId(task.id)} ${inline(task.title)}: ${standing(task)}`,
    ...(traits(task).length === 0 ? [] : [`- ${traits(task).join(" · ")}`]),
    `- made by ${inline(task.created_by, 80)} at ${formatTime(task.created_at, timezone)}${task.source === null || isImported(task) ? "" : ` from ${inline(task.source, 120)}`}`,
    ...(task.run_id === null
      ? []
      : [`- about run ${formatRunId(task.run_id)}: run_read shows its error, log and effects`]),
    ...names("part of", parent === null ? [] : [parent]),
    ...names("needs", needs),
    ...names("needed by", neededBy),
    ...names("sub-tasks", parts),
    ...(task.body === null ? [] : ["", bodyText(task)]),
    ...(task.result === null ? [] : ["", untrusted("Result", cut(task.result))]),
    "",
    `History${earlier > 0 ? ` (${earlier} earlier; "history" shows more)` : ""}:`,
    ...history.map((event) => historyLine(event, timezone)),
  ].join("\n");
}

/** What it says is the work; what came from elsewhere is labelled as such. */
export function bodyText(task: Row<"tasks">): string {
  const text = cut(task.body ?? "");
  return task.source === null || isImported(task)
    ? `Body, by ${inline(task.created_by, 80)}:\n${fence(text)}`
    : untrusted("Body", text);
}

/** A file that the person imported is as good as what they write. */
function isImported({ source }: Row<"tasks">): boolean {
  return source?.startsWith("import:") === true;
}

const shown = 20;

function historyLine({ at, kind, actor, detail, trace_id }: Row<"task_history">, timezone: string): string {
  const trace = trace_id === null ? "" : ` (trace ${trace_id.slice(0, 8)})`;
  return `- ${formatTime(at, timezone)} ${kind} by ${inline(actor, 80)}${trace}${detail === null ? "" : `: ${inline(detail, 500)}`}`;
}

function standing(task: Row<"tasks">): string {
  if (task.state === "in_progress") {
    const until = `${task.claimed_until?.toISOString().slice(0, 16) ?? ""}Z`;
    const holder = inline(task.claimed_by ?? "", 60);
    const ranOut = task.claimed_until !== null && task.claimed_until <= new Date();
    return ranOut
      ? `in_progress, but claim ${task.claim} of ${holder} ran out at ${until}: it can be claimed`
      : `in_progress, claim ${task.claim} of ${holder} until ${until}`;
  }
  const waits = [
    ...(task.waits_for > 0 ? [`${task.waits_for} that it needs`] : []),
    ...(task.open_children > 0 ? [`${task.open_children} sub-task${task.open_children === 1 ? "" : "s"}`] : []),
  ];
  return task.state === "open" && waits.length > 0 ? `open, waits for ${waits.join(" and ")}` : task.state;
}

function traits(task: Row<"tasks">): string[] {
  return [
    ...(task.urgency === "normal" ? [] : [`urgency ${task.urgency}`]),
    ...(task.priority === 0 ? [] : [`priority ${task.priority}`]),
    ...(task.complexity === "medium" ? [] : [`complexity ${task.complexity}`]),
    ...(task.due === null ? [] : [`due ${formatDue(task.due)}`]),
    ...(task.assignee === null ? [] : [`for ${inline(task.assignee, 60)}`]),
    ...(task.open_to === "person" ? ["for the person"] : []),
    ...(task.plan_id === null
      ? []
      : [`plan P${task.plan_id}${task.node === null ? "" : ` node ${inline(task.node, 40)}`}`]),
    ...readLabels(task.labels).map((label) => `#${inline(label, 50)}`),
  ];
}

function cut(text: string): string {
  return foldEnd(text, "the person sees it all with jr task show", 16_000);
}
