import { z } from "zod";

const time = z.coerce.date();

/** A task, as the person's door tells of it. */
export const taskAnswer = z.object({
  id: z.int(),
  title: z.string(),
  body: z.string().nullable(),
  parent: z.int().nullable(),
  plan_id: z.int().nullable(),
  node: z.string().nullable(),
  open_to: z.string().nullable(),
  run_id: z.int().nullable(),
  state: z.string(),
  priority: z.int(),
  urgency: z.string(),
  complexity: z.string(),
  labels: z.string(),
  due: time.nullable(),
  assignee: z.string().nullable(),
  waits_for: z.int(),
  open_children: z.int(),
  claimed_by: z.string().nullable(),
  claim: z.int(),
  claimed_until: time.nullable(),
  result: z.string().nullable(),
  source: z.string().nullable(),
  created_by: z.string(),
  created_at: time,
  finished_at: time.nullable(),
});
export type TaskAnswer = z.infer<typeof taskAnswer>;

const named = z.object({ id: z.int(), title: z.string(), state: z.string() });

/** What GET /api/tasks/T12 says. */
export const taskDetails = z.object({
  task: taskAnswer,
  parent: named.nullable(),
  needs: z.array(named),
  neededBy: z.array(named),
  parts: z.array(named),
  history: z.array(
    z.object({
      at: time,
      kind: z.string(),
      actor: z.string(),
      detail: z.string().nullable(),
      trace_id: z.string().nullable(),
    }),
  ),
  earlier: z.int(),
});
export type TaskDetails = z.infer<typeof taskDetails>;
