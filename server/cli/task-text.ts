import { formatTime } from "../format-time.ts";
import { visibleLine, visibleText } from "../review/visible-text.ts";
import { formatDue } from "../tasks/due.ts";
import { readLabels } from "../tasks/labels.ts";
import { formatTaskId } from "../tasks/task-id.ts";
import type { CliContext } from "./context.ts";
import { painter } from "./paint.ts";
import { ownTimezone, stateText, tableText } from "./show-list.ts";
import type { TaskAnswer, TaskDetails } from "./task-answer.ts";

/** Tasks under headings. */
export function tasksText(context: CliContext, tasks: readonly TaskAnswer[]): string {
  const rows = tasks.map((task) => [
    formatTaskId(task.id),
    stateText(context, standing(task)),
    visibleLine(task.title).slice(0, 80),
    traits(task).join(", "),
  ]);
  return tableText(context, ["TASK", "STATE", "TITLE", ""], rows);
}

/** A task with everything that is known of it. */
export function taskDetailsText(context: CliContext, whole: TaskDetails): string {
  const { task, parent, needs, neededBy, parts, history, earlier } = whole;
  const paint = painter(context);
  const zone = ownTimezone();
  const others = (label: string, tasks: TaskDetails["needs"]) =>
    tasks.map(
      ({ id, title, state }, at) =>
        `  ${(at === 0 ? label : "").padEnd(10)} ${formatTaskId(id)} ${visibleLine(title).slice(0, 80)} (${state})`,
    );
  const block = (label: string, text: string | null) =>
    text === null
      ? []
      : [
          "",
          paint("bold", label),
          ...visibleText(text)
            .split("\n")
            .map((line) => `  ${line}`),
        ];
  return [
    `${paint("bold", `${formatTaskId(task.id)} ${visibleLine(task.title)}`)}  ${stateText(context, standing(task))}`,
    ...(traits(task).length === 0 ? [] : [`  ${traits(task).join(", ")}`]),
    `  made       ${formatTime(task.created_at, zone)} by ${visibleLine(task.created_by)}`,
    ...(task.source === null ? [] : [`  from       ${visibleLine(task.source)}`]),
    ...(task.claimed_until === null
      ? []
      : [
          `  held       by ${visibleLine(task.claimed_by ?? "")} until ${formatTime(task.claimed_until, zone)} (claim ${task.claim}${task.claimed_until <= new Date() ? ", which ran out: it can be claimed" : ""})`,
        ]),
    ...(task.run_id === null ? [] : [`  about      R${task.run_id}`]),
    ...others("part of", parent === null ? [] : [parent]),
    ...others("needs", needs),
    ...others("needed by", neededBy),
    ...others("sub-tasks", parts),
    ...block("Body", task.body),
    ...block("Result", task.result),
    "",
    paint("bold", `History${earlier > 0 ? ` (${earlier} earlier)` : ""}`),
    ...history.map(
      ({ at, kind, actor, detail, trace_id }) =>
        `  ${formatTime(at, zone)}  ${kind} by ${visibleLine(actor)}${trace_id === null ? "" : ` (trace ${trace_id})`}${detail === null ? "" : `: ${visibleText(detail).replaceAll("\n", "\n    ")}`}`,
    ),
  ].join("\n");
}

function standing({ state, waits_for, open_children }: TaskAnswer): string {
  return state === "open" && waits_for + open_children > 0 ? "waiting" : state;
}

function traits(task: TaskAnswer): string[] {
  return [
    ...(task.urgency === "normal" ? [] : [task.urgency]),
    ...(task.priority === 0 ? [] : [`priority ${task.priority}`]),
    ...(task.complexity === "medium" ? [] : [`complexity ${task.complexity}`]),
    ...(task.due === null ? [] : [`due ${formatDue(task.due)}`]),
    ...(task.open_to === "person" ? ["for you"] : []),
    ...(task.assignee === null ? [] : [`for ${visibleLine(task.assignee)}`]),
    ...(task.plan_id === null ? [] : [`plan P${task.plan_id}`]),
    ...(task.waits_for > 0 ? [`needs ${task.waits_for} more`] : []),
    ...(task.open_children > 0 ? [`${task.open_children} sub-task${task.open_children === 1 ? "" : "s"}`] : []),
    ...readLabels(task.labels).map((label) => `#${visibleLine(label)}`),
  ];
}
