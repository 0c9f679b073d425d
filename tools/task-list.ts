import { z } from "zod";
import { UserError } from "../server/errors.ts";
import { parseDue } from "../server/tasks/due.ts";
import { countTasks, listTasks, type TaskFilter } from "../server/tasks/list-tasks.ts";
import { chosenStates, stateChoices } from "../server/tasks/task-states.ts";
import { cursor, limit } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { taskHandle } from "./task-arguments.ts";
import { taskLine } from "./task-text.ts";

const mostCounted = 1_000;

export const taskList = defineTool({
  name: "task_list",
  title: "List tasks",
  description:
    "Tasks, the most urgent first. ready: what can be claimed now. state: live (default; with search: all), ended, all, or one state. search: words of title, body and result.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    ready: z.boolean().optional(),
    state: z.enum(stateChoices).optional(),
    label: z.string().max(60).optional(),
    assignee: z.string().max(100).optional(),
    plan: z.string().max(20).describe("such as P3").optional(),
    parent: taskHandle.optional(),
    search: z.string().max(200).optional(),
    due_before: z.string().max(40).optional(),
    limit,
    cursor,
  }),
  async handle({ store }, { ready, state, label, assignee, plan, parent, search, due_before, limit, cursor }) {
    const filter: TaskFilter = {
      ready,
      state: chosenStates(state, { ready, search }),
      labels: label === undefined ? [] : [label],
      assignee,
      planId: plan === undefined ? undefined : planNumber(plan),
      parent,
      search,
      dueBefore: due_before === undefined ? undefined : parseDue(due_before),
    };
    const page = await listTasks(store.db, { ...filter, limit, cursor });
    if (page.rows.length === 0)
      return `No ${ready ? "ready " : ""}tasks${cursor === undefined ? " that fit" : " beyond that cursor"}.`;
    const lines = page.rows.map(taskLine).join("\n");
    if (page.cursor === null) return lines;
    const count = await countTasks(store.db, filter, mostCounted);
    return `${lines}\n\n${count < mostCounted ? count : `At least ${mostCounted}`} in all. More: cursor "${page.cursor}".`;
  },
});

function planNumber(handle: string): number {
  const digits = /^[Pp]?(\d{1,15})$/.exec(handle.trim())?.[1];
  if (digits === undefined) throw new UserError("invalid_argument", "Plans look like P3.");
  return Number(digits);
}
