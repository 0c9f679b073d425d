import { z } from "zod";
import { UserError } from "../server/errors.ts";
import type { Row } from "../server/store/tables.ts";
import { claimTask } from "../server/tasks/claim-task.ts";
import { defaultLeaseSeconds, longestLeaseSeconds } from "../server/tasks/lease.ts";
import { readyNeighbours } from "../server/tasks/ready-neighbours.ts";
import { actOnTask, type TaskAction, taskActions } from "../server/tasks/task-action.ts";
import { formatTaskId } from "../server/tasks/task-id.ts";
import { defineTool } from "./define-tool.ts";
import { inline } from "./fence.ts";
import {
  actorOf,
  complexity,
  due,
  labels,
  longText,
  orNull,
  priority,
  readDue,
  taskHandle,
  urgency,
} from "./task-arguments.ts";
import { bodyText, taskLine } from "./task-text.ts";
import type { ToolContext } from "./tool-context.ts";

const handles = z.array(taskHandle).max(100).optional();
const shownReady = 10;

export const taskUpdate = defineTool({
  name: "task_update",
  title: "Work on a task",
  description:
    'claim takes a task for lease_minutes, so that nobody else does it (task "next": the first ready one, with these labels if given, that is not assigned to others); then done or failed with text as the result, renew, or release. note adds text. edit changes the fields given; "" clears one.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({
    task: taskHandle,
    action: z.enum(taskActions).default("edit"),
    claim: z.int().min(1).describe("from claim: refused if another claimed it since").optional(),
    lease_minutes: z
      .int()
      .min(1)
      .max(longestLeaseSeconds / 60)
      .default(defaultLeaseSeconds / 60),
    text: longText.optional(),
    title: z.string().min(1).max(500).optional(),
    body: longText.optional(),
    parent: z.union([z.string().max(20), z.int().min(1)]).optional(),
    depends_on: handles.describe("to add"),
    remove_depends_on: handles,
    urgency,
    priority,
    complexity,
    labels,
    due,
    assignee: z.string().max(100).optional(),
  }),
  async handle(context, args) {
    const { task: id, action, claim, lease_minutes, text, ...rest } = args;
    const { depends_on, remove_depends_on, due, parent, assignee, body, ...fields } = rest;
    const leaseSeconds = lease_minutes * 60;
    if (String(id).trim().toLowerCase() === "next")
      return claimNext(context, { action, labels: args.labels, leaseSeconds });
    const given = Object.entries(rest).find(([, value]) => value !== undefined);
    if (action !== "edit" && given !== undefined) {
      throw new UserError("invalid_argument", `Action ${action} does not take ${given[0]}.`, {
        next: "task_update with action edit changes fields",
      });
    }
    const request = {
      id,
      action,
      claim,
      text,
      leaseSeconds,
      by: actorOf(context),
      change: {
        ...fields,
        body: orNull(body),
        assignee: orNull(assignee),
        due: readDue(due),
        parent: typeof parent === "string" && parent.trim() === "" ? null : parent,
      },
      addDependencies: depends_on,
      removeDependencies: remove_depends_on,
    };
    return answerOf(context, action, await actOnTask(context.store.db, request));
  },
});

async function claimNext(
  context: ToolContext,
  { action, labels, leaseSeconds }: { action: TaskAction; labels: string[] | undefined; leaseSeconds: number },
): Promise<string> {
  if (action !== "claim") throw new UserError("invalid_argument", 'Task "next" goes with action claim.');
  const task = await claimTask(context.store.db, { filter: { labels }, by: actorOf(context), leaseSeconds });
  return task === undefined ? "No task is ready." : claimedText(task);
}

async function answerOf({ store }: ToolContext, action: TaskAction, task: Row<"tasks">): Promise<string> {
  const name = formatTaskId(task.id);
  switch (action) {
    case "claim":
      return claimedText(task);
    case "renew":
      return `${name} is yours until ${task.claimed_until?.toISOString() ?? ""} (claim ${task.claim}).`;
    case "note":
      return `Noted on ${name}.`;
    case "edit":
    case "release":
    case "reopen":
      return taskLine(task);
    case "done":
    case "failed":
    case "cancel": {
      const ready = await readyNeighbours(store.db, task, shownReady);
      const names = ready.map(({ id, title }) => `${formatTaskId(id)} ${inline(title, 60)}`);
      return `${name} is ${task.state}.${names.length === 0 ? "" : ` Ready: ${names.join(", ")}.`}`;
    }
    default:
      return action satisfies never;
  }
}

/** With all that doing it takes, so that nothing else has to be read. */
function claimedText(task: Row<"tasks">): string {
  const name = formatTaskId(task.id);
  const until = task.claimed_until?.toISOString() ?? "";
  return [
    `${name} ${inline(task.title)} is yours until ${until} (claim ${task.claim}).`,
    `End it: task_update {"task": "${name}", "action": "done", "claim": ${task.claim}, "text": "what came of it"}.`,
    ...(task.body === null ? [] : [bodyText(task)]),
  ].join("\n");
}
