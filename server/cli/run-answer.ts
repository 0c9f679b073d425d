import { z } from "zod";

const time = z.coerce.date();

/** A run, as the person's door tells of it. */
export const runAnswer = z.object({
  id: z.int(),
  job: z.string(),
  version: z.int().nullable(),
  trigger: z.string(),
  parent_run: z.int().nullable(),
  slot: time.nullable(),
  input: z.string().nullable(),
  state: z.string(),
  run_at: time,
  attempt: z.int(),
  output: z.string().nullable(),
  error: z.string().nullable(),
  dead: z.boolean(),
  redrive_of: z.int().nullable(),
  redriven_as: z.int().nullable(),
  trace_id: z.string(),
  requested_by: z.string(),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
});

/** One try at a run. */
const attemptAnswer = z.object({
  attempt: z.int(),
  version: z.int().nullable(),
  worker: z.string(),
  state: z.string(),
});

/** What GET /api/runs/R12 says; `event` is what started it, and `waits_for` why a run that is due has not started. */
export const runDetails = z.object({
  run: runAnswer,
  attempts: z.array(attemptAnswer),
  event: z.unknown(),
  waits_for: z.string().nullable(),
});

/** One line of a run's log. */
export const logLineAnswer = z.object({ attempt: z.int(), n: z.int(), level: z.string(), text: z.string(), at: time });

/** One effect, its result whole. */
export const effectAnswer = z.object({
  run_id: z.int(),
  attempt: z.int(),
  seq: z.int(),
  op: z.string(),
  args: z.string(),
  safe: z.boolean(),
  state: z.enum(["intent", "done"]),
  outcome: z.enum(["ok", "error"]).nullable(),
  result: z.string().nullable(),
  progress: z.string().nullable(),
  delivered: z.int().nullable(),
  guest_ms: z.number().nullable(),
  started_at: time,
  ended_at: time.nullable(),
});

/** A file that a run left in its folder. */
export const artifactAnswer = z.object({
  name: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  media_type: z.string(),
});

export type RunDetails = z.infer<typeof runDetails>;
export type RunAnswer = z.infer<typeof runAnswer>;
