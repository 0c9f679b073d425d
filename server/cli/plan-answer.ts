import { z } from "zod";

const time = z.coerce.date();

/** A plan, as the person's door tells of it. */
export const planAnswer = z.object({
  id: z.int(),
  goal: z.string(),
  state: z.string(),
  task_id: z.int().nullable(),
  requested_by: z.string(),
  trace_id: z.string(),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
});

/** One of its nodes. */
export const planNodeAnswer = z.object({
  key: z.string(),
  kind: z.string(),
  state: z.string(),
  optional: z.boolean(),
  attempt: z.int(),
  task_id: z.int().nullable(),
  agent_id: z.int().nullable(),
  run_id: z.int().nullable(),
  output: z.string().nullable(),
  error: z.string().nullable(),
  started_at: time.nullable(),
  finished_at: time.nullable(),
});

/** A file that a node left. */
const planArtifactAnswer = z.object({
  node: z.string(),
  name: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  media_type: z.string(),
  host: z.string(),
});

/** What GET /api/plans/P3 says. */
export const planDetails = z.object({
  plan: planAnswer,
  nodes: z.array(planNodeAnswer),
  artifacts: z.array(planArtifactAnswer),
  folder: z.string(),
  report: z.string(),
  ended: z.boolean(),
});

/** What a wait for a plan says. */
export const planWaitAnswer = z.object({ plan: planAnswer, nodes: z.array(planNodeAnswer), ended: z.boolean() });
export type PlanWaitAnswer = z.infer<typeof planWaitAnswer>;
