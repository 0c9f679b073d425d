import { z } from "zod";
import { readTask } from "../server/tasks/read-task.ts";
import { defineTool } from "./define-tool.ts";
import { taskHandle } from "./task-arguments.ts";
import { taskText } from "./task-text.ts";

export const taskRead = defineTool({
  name: "task_read",
  title: "Read a task",
  description: "One task: what it says, what it needs, who holds it, its result, and who did what when.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    task: taskHandle,
    history: z.int().min(0).max(200).describe("how many events and notes from the end").default(10),
  }),
  async handle({ store, config }, { task, history }) {
    return taskText(await readTask(store.db, task, { history }), config.timezone);
  },
});
