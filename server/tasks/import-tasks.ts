import { createHash } from "node:crypto";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Actor } from "./actor.ts";
import { createTasks } from "./create-tasks.ts";
import { parseDue } from "./due.ts";
import { readMarkdown } from "./markdown.ts";
import type { NewTask } from "./new-task.ts";
import { type FileTask, taskFile } from "./task-file.ts";
import { addHistory } from "./task-history.ts";
import { formatTaskId } from "./task-id.ts";

export type ImportRequest = Readonly<{
  format: "markdown" | "json";
  text: string;
  /** Also where the very same text was imported before. */
  again: boolean;
  dryRun: boolean;
  by: Actor;
}>;

export type Imported = Readonly<{
  /** How many the file holds. */
  count: number;
  /** Handles of those that were made now. */
  created: readonly string[];
  /** References to tasks that the file does not hold; they are left out. */
  outside: number;
}>;

/**
 * Makes the tasks of a file, all or none. The same file makes them once, unless it is asked for `again`. Throws invalid_argument where
 * the file is not in order, and `task_cycle`.
 */
export async function importTasks(db: Db, { format, text, again, dryRun, by }: ImportRequest): Promise<Imported> {
  const tasks = format === "markdown" ? readMarkdown(text) : readJson(text);
  if (tasks.length === 0) throw new UserError("invalid_argument", "There is no task in that file.");
  const keys = new Set(tasks.map(({ key }) => key));
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 32);
  const given = tasks.map((task) => toNewTask(task, keys, again ? null : `import:${hash}#${task.key}`));
  const outside = tasks
    .flatMap(({ parent, needs }) => (parent === null ? needs : [...needs, parent]))
    .filter((ref) => !keys.has(ref)).length;
  if (dryRun) return { count: tasks.length, created: [], outside };
  return inTransaction(db, async (trx) => {
    const { last } = await trx
      .selectFrom("tasks")
      .select((eb) => eb.fn.max("id").as("last"))
      .executeTakeFirstOrThrow();
    const made = await createTasks(trx, { tasks: given, by });
    const fresh = made.flatMap((row, index) =>
      row.id > (last ?? 0) ? [{ row, notes: tasks[index]?.notes ?? [] }] : [],
    );
    await addHistory(
      trx,
      by,
      fresh.flatMap(({ row, notes }) =>
        notes.map((note) => ({
          taskId: row.id,
          kind: "note" as const,
          detail: `${note.text}\n(${note.by}, ${note.at})`,
        })),
      ),
    );
    return { count: tasks.length, created: fresh.map(({ row }) => formatTaskId(row.id)), outside };
  });
}

function toNewTask(task: FileTask, keys: ReadonlySet<string>, source: string | null): NewTask {
  const { needs, parent, state, due, person, notes: _, ...fields } = task;
  return {
    ...fields,
    // Nobody holds it here.
    state: state === "in_progress" ? "open" : state,
    parent: parent !== null && keys.has(parent) ? parent : null,
    dependsOn: needs.filter((key) => keys.has(key)),
    due: due === null ? null : parseDue(due),
    openTo: person ? "person" : null,
    source,
  };
}

function readJson(text: string): FileTask[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError("invalid_argument", `That is no JSON: ${messageOf(cause)}.`, { cause });
  }
  const parsed = taskFile.safeParse(value);
  if (parsed.success) return parsed.data.tasks;
  throw new UserError("invalid_argument", z.prettifyError(parsed.error).slice(0, 1_000), {
    next: "docs/tasks.md has the format",
  });
}
