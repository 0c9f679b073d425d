import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { defineEffect, type EffectContext } from "./define-effect.ts";
import type { TaskCaller } from "./services.ts";

const handle = z.string().regex(/^[Tt]\d{1,15}$/, "tasks look like T12");
/** A task that is there, or the key of one in the same call. */
const reference = z.string().min(1).max(60);
const text = z.string().max(50_000);
const fields = {
  body: text.nullable().optional(),
  urgency: z.enum(["low", "normal", "high", "now"]).optional(),
  priority: z.int().min(-100).max(100).optional(),
  complexity: z.enum(["low", "medium", "high"]).optional(),
  labels: z.array(z.string().max(60)).max(20).optional(),
  due: z.string().max(40).nullable().optional(),
  assignee: z.string().max(100).nullable().optional(),
};
const newTask = z.strictObject({
  ...fields,
  title: z.string().min(1).max(500),
  key: z.string().min(1).max(60).optional(),
  parent: reference.optional(),
  dependsOn: z.array(reference).max(100).optional(),
  forPerson: z.boolean().optional(),
});
export type NewTaskArgs = z.infer<typeof newTask>;

const changes = z.strictObject({
  ...fields,
  title: z.string().min(1).max(500).optional(),
  note: text.optional(),
  dependsOn: z.array(handle).max(100).optional(),
});
export type TaskChangeArgs = z.infer<typeof changes>;

const filter = z.strictObject({
  ready: z.boolean().optional(),
  state: z.enum(["live", "ended", "all"]).optional(),
  label: z.string().max(60).optional(),
  assignee: z.string().max(100).optional(),
  parent: handle.optional(),
  search: z.string().max(200).optional(),
  limit: z.int().min(1).max(200).optional(),
  cursor: z.string().max(60).nullable().optional(),
});
export type TaskFilterArgs = z.infer<typeof filter>;

/** Throws permission_denied where the signed manifest does not grant that much. */
function requireTasks({ permissions }: Manifest, call: string, wanted: "read" | "write"): void {
  if (permissions.tasks === "write" || permissions.tasks === wanted) return;
  throw new UserError(
    "permission_denied",
    `tasks.${call}: the signed manifest does not grant that; declare permissions.tasks: "${wanted}".`,
  );
}

function caller({ job, runId, traceId }: EffectContext): TaskCaller {
  return { job, runId, traceId };
}

/** `tasks.create`: a tree of tasks, or none of it. */
export const tasksCreate = defineEffect({
  op: "tasks.create",
  kind: "own",
  args: z.strictObject({ tasks: z.array(newTask).min(1).max(200) }),
  safe: () => true,
  allow: (manifest) => requireTasks(manifest, "create", "write"),
  // Made-up handles, which no task has.
  rehearse: ({ seq }, { tasks }) => ({ tasks: tasks.map((_, index) => `T${seq}00000${index}`) }),
  perform: async (context, { tasks }) => ({
    tasks: await context.services.tasks.create(context.db, { tasks, by: caller(context) }),
  }),
});

/** `tasks.list`: a page of tasks in the order of work. */
export const tasksList = defineEffect({
  op: "tasks.list",
  kind: "own",
  args: filter,
  safe: () => true,
  allow: (manifest) => requireTasks(manifest, "list", "read"),
  perform: ({ db, services }, args) => services.tasks.list(db, args),
});

/** `tasks.get`: one task, or null. */
export const tasksGet = defineEffect({
  op: "tasks.get",
  kind: "own",
  args: z.strictObject({ task: handle }),
  safe: () => true,
  allow: (manifest) => requireTasks(manifest, "get", "read"),
  perform: ({ db, services }, { task }) => services.tasks.find(db, task),
});

/** `tasks.update`: changes what is said of a task, or adds a note. */
export const tasksUpdate = defineEffect({
  op: "tasks.update",
  kind: "own",
  args: z.strictObject({ task: handle, change: changes }),
  safe: () => true,
  allow: (manifest) => requireTasks(manifest, "update", "write"),
  rehearse: (_, { task }) => ({ task }),
  async perform(context, { task, change }) {
    await context.services.tasks.update(context.db, { task, change, by: caller(context) });
    return { task };
  },
});

/** `tasks.complete`: ends a task; `done` releases what needs it in the same transaction. */
export const tasksComplete = defineEffect({
  op: "tasks.complete",
  kind: "own",
  args: z.strictObject({
    task: handle,
    state: z.enum(["done", "failed", "cancelled"]),
    result: text.nullable(),
  }),
  safe: () => true,
  allow: (manifest) => requireTasks(manifest, "complete", "write"),
  rehearse: (_, { task, state }) => ({ task, state }),
  async perform(context, { task, state, result }) {
    await context.services.tasks.complete(context.db, { task, state, result, by: caller(context) });
    return { task, state };
  },
});
