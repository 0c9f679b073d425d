import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import type { Actor } from "../../tasks/actor.ts";
import { createTasks } from "../../tasks/create-tasks.ts";
import { parseDue } from "../../tasks/due.ts";
import { exportTasks } from "../../tasks/export-tasks.ts";
import { importTasks } from "../../tasks/import-tasks.ts";
import { longestLeaseSeconds } from "../../tasks/lease.ts";
import { listTasks, type TaskFilter } from "../../tasks/list-tasks.ts";
import { readTask } from "../../tasks/read-task.ts";
import { readyNeighbours } from "../../tasks/ready-neighbours.ts";
import { actOnTask, taskActions } from "../../tasks/task-action.ts";
import { chosenStates, stateChoices } from "../../tasks/task-states.ts";
import type { DaemonDeps } from "../deps.ts";
import { countText, limitText, parse, parseBody } from "./parse.ts";

const handle = z.union([z.string().max(60), z.int().min(1)]);
const filterQuery = {
  ready: z.literal("true").optional(),
  state: z.enum(stateChoices).optional(),
  label: z.string().max(60).optional(),
  assignee: z.string().max(100).optional(),
  plan: countText.optional(),
  parent: z.string().max(20).optional(),
  search: z.string().max(200).optional(),
  due_before: z.string().max(40).optional(),
};
const listQuery = z.strictObject({
  ...filterQuery,
  limit: limitText.default(50),
  cursor: z.string().max(60).optional(),
});
const exportQuery = z.strictObject({ ...filterQuery, format: z.enum(["markdown", "json"]) });
const importBody = z.strictObject({
  format: z.enum(["markdown", "json"]),
  text: z.string().max(10_000_000),
  /** Also where the very same file was imported before. */
  again: z.boolean().default(false),
  dry_run: z.boolean().default(false),
});

const text = z.string().max(50_000);
const fields = {
  body: text.nullable().optional(),
  parent: handle.nullable().optional(),
  urgency: z.enum(["low", "normal", "high", "now"]).optional(),
  priority: z.int().min(-100).max(100).optional(),
  complexity: z.enum(["low", "medium", "high"]).optional(),
  labels: z.array(z.string().max(60)).max(20).optional(),
  /** A day or an instant; null takes it away. */
  due: z.string().max(40).nullable().optional(),
  assignee: z.string().max(100).nullable().optional(),
  open_to: z.enum(["host", "person"]).nullable().optional(),
};
const newTask = z.strictObject({
  ...fields,
  title: z.string().max(500),
  key: z.string().max(60).optional(),
  depends_on: z.array(handle).max(100).optional(),
});
const createBody = z.strictObject({ tasks: z.array(newTask).min(1).max(1_000) });
const actBody = z.strictObject({
  ...fields,
  action: z.enum(taskActions),
  title: z.string().max(500).optional(),
  text: text.optional(),
  claim: z.int().positive().optional(),
  lease_seconds: z.int().min(1).max(longestLeaseSeconds).optional(),
  add_dependencies: z.array(handle).max(100).optional(),
  remove_dependencies: z.array(handle).max(100).optional(),
});

/** Tasks at the person's door: everything that hosts may do, and ending what is for a person. */
export function tasksApi({ store }: Pick<DaemonDeps, "store">): Hono {
  const { db } = store;
  return new Hono()
    .get("/api/tasks", async (c) => {
      const { limit, cursor, ...query } = parse(listQuery, c.req.query());
      return c.json(await listTasks(db, { ...readFilter(query), limit, cursor }));
    })
    .get("/api/tasks/export", async (c) => {
      const { format, ...query } = parse(exportQuery, c.req.query());
      return c.json(await exportTasks(db, { format, filter: readFilter(query) }));
    })
    .post("/api/tasks/import", async (c) => {
      const { dry_run, ...body } = await parseBody(c, importBody);
      return c.json(await importTasks(db, { ...body, dryRun: dry_run, by: person() }));
    })
    .post("/api/tasks", async (c) => {
      const { tasks } = await parseBody(c, createBody);
      const made = await createTasks(db, {
        tasks: tasks.map(({ depends_on, open_to, due, ...task }) => ({
          ...task,
          dependsOn: depends_on,
          openTo: open_to,
          due: readDue(due),
        })),
        by: person(),
      });
      return c.json({ tasks: made });
    })
    .get("/api/tasks/:task", async (c) => c.json(await readTask(db, c.req.param("task"), { history: 500 })))
    .post("/api/tasks/:task", async (c) => {
      const body = await parseBody(c, actBody);
      const { action, text, claim, lease_seconds, add_dependencies, remove_dependencies, open_to, due, ...change } =
        body;
      const task = await actOnTask(db, {
        id: c.req.param("task"),
        action,
        text,
        claim,
        leaseSeconds: lease_seconds,
        addDependencies: add_dependencies,
        removeDependencies: remove_dependencies,
        change: { ...change, openTo: open_to, due: readDue(due) },
        by: person(),
        door: "person",
      });
      return c.json({ task, ready: await readyNeighbours(db, task, 20) });
    });
}

function person(): Actor {
  return { actor: "person", traceId: randomUUID() };
}

function readDue(written: string | null | undefined): Date | null | undefined {
  return typeof written === "string" ? parseDue(written) : written;
}

function readFilter(query: z.infer<z.ZodObject<typeof filterQuery>>): TaskFilter {
  const { state, label, plan, due_before, ...rest } = query;
  const ready = query.ready === "true";
  return {
    ...rest,
    ready,
    state: chosenStates(state, { ready, search: rest.search }),
    labels: label === undefined ? [] : [label],
    planId: plan,
    dueBefore: due_before === undefined ? undefined : parseDue(due_before),
    openTo: "person",
  };
}
