import { z } from "zod";
import { createTasks } from "../server/tasks/create-tasks.ts";
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

const mostTasks = 200;
const namedTasks = 60;
const reference = z.union([z.string().max(60), z.int().min(1)]);

export const taskCreate = defineTool({
  name: "task_create",
  title: "Create tasks",
  description:
    "Remembers what is to be done, beyond this session: a whole tree in one call, or none of it. key names a task for parent and depends_on of the others; these also take T12. A task is ready once all it depends on is done and its sub-tasks have ended.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({
    tasks: z
      .array(
        z.strictObject({
          title: z.string().min(1).max(500),
          body: longText.describe("Markdown: all that whoever does it must know").optional(),
          key: z.string().min(1).max(60).optional(),
          parent: reference.optional(),
          depends_on: z.array(reference).max(100).optional(),
          urgency,
          priority,
          complexity,
          labels,
          due,
          assignee: z.string().max(100).optional(),
          for_person: z.boolean().describe("only the person can do it").optional(),
        }),
      )
      .min(1)
      .max(mostTasks),
    parent: taskHandle.describe("of those without one").optional(),
  }),
  async handle(context, { tasks, parent }) {
    const made = await createTasks(context.store.db, {
      by: actorOf(context),
      tasks: tasks.map(({ depends_on, due, for_person, assignee, ...task }) => ({
        ...task,
        parent: task.parent ?? parent,
        dependsOn: depends_on,
        due: readDue(due),
        assignee: orNull(assignee),
        openTo: for_person ? ("person" as const) : undefined,
      })),
    });
    const ready = made.filter(({ waits_for, open_children }) => waits_for === 0 && open_children === 0);
    const lines = made
      .slice(0, namedTasks)
      .map(({ id, title }, index) => `${formatTaskId(id)} ${inline(tasks[index]?.key ?? title, 50)}`);
    const more = made.length > namedTasks ? `, … ${formatTaskId(made.at(-1)?.id ?? 0)}` : "";
    return `Created ${made.length === 1 ? "1 task" : `${made.length} tasks`} (${ready.length} ready): ${lines.join(", ")}${more}.`;
  },
});
