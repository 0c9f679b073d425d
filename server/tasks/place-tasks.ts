import { UserError } from "../errors.ts";
import type { NewTask, TaskRef } from "./new-task.ts";
import { parseTaskId } from "./task-id.ts";

/** A new task with its number, and keys of the same call resolved to numbers. */
export type PlacedTask = Readonly<{ task: NewTask; id: number; parent: number | null; needs: readonly number[] }>;

/** Resolves what tasks of one call say of each other. Throws invalid_argument where two have one key, or a key names none. */
export function placeTasks(tasks: readonly Readonly<{ task: NewTask; id: number }>[]): PlacedTask[] {
  const byKey = new Map<string, number>();
  for (const { task, id } of tasks) {
    if (task.key === undefined) continue;
    if (byKey.has(task.key)) throw new UserError("invalid_argument", `Two tasks have the key ${shown(task.key)}.`);
    byKey.set(task.key, id);
  }
  const resolve = (ref: TaskRef) => {
    const own = typeof ref === "string" ? byKey.get(ref) : undefined;
    if (own !== undefined) return own;
    if (typeof ref === "number" || /^[Tt]?\d+$/.test(ref)) return parseTaskId(ref);
    throw new UserError("invalid_argument", `${shown(ref)} is neither a key of this call nor a task such as T12.`, {
      next:
        byKey.size === 0 ? "give each task a key" : `one of ${[...byKey.keys()].slice(0, 20).map(shown).join(", ")}`,
    });
  };
  return tasks.map(({ task, id }) => ({
    task,
    id,
    parent: task.parent === undefined || task.parent === null ? null : resolve(task.parent),
    needs: [...new Set((task.dependsOn ?? []).map(resolve))],
  }));
}

function shown(key: string): string {
  return `"${key.replace(/[^\x20-\x7e]+|["`]/g, "?").slice(0, 40)}"`;
}
