import { optionsOf, requireText } from "./arguments.ts";
import { effect } from "./effect.ts";

type NewTask = Record<string, unknown> & { title: string };
type Task = { task: string; state: string } & Record<string, unknown>;

/** A Date is written as the text that the other side reads. */
function withDue<T extends Record<string, unknown>>(fields: T): T {
  return fields.due instanceof Date ? { ...fields, due: fields.due.toISOString() } : fields;
}

/** To-dos, which agents and people work on. */
export const tasks = Object.freeze({
  create: async (given: NewTask | readonly NewTask[]): Promise<string | string[]> => {
    const many = Array.isArray(given);
    const list: readonly NewTask[] = many ? given : [given];
    const made = (await effect<{ tasks: string[] }>("tasks.create", { tasks: list.map(withDue) })).tasks;
    return many ? made : (made[0] ?? "");
  },
  list: (filter: Record<string, unknown> = {}) =>
    effect<{ tasks: Task[]; cursor: string | null }>("tasks.list", { ...optionsOf(filter, "the filter") }),
  get: (task: string) => effect<Task | null>("tasks.get", { task: requireText(task, "the task") }),
  update: async (task: string, change: Record<string, unknown>): Promise<void> => {
    await effect("tasks.update", {
      task: requireText(task, "the task"),
      change: withDue({ ...optionsOf(change, "the change") }),
    });
  },
  complete: async (task: string, options: { state?: string; result?: string } = {}): Promise<void> => {
    const { state = "done", result = null } = optionsOf(options, "the options");
    await effect("tasks.complete", { task: requireText(task, "the task"), state, result });
  },
});
