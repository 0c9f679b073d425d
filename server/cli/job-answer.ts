import { z } from "zod";
import { manifestSchema } from "../jobs/manifest.ts";

const time = z.coerce.date();
const runState = z.string();

/** A job, as the person's door tells of it. */
export const jobAnswer = z.object({
  name: z.string(),
  state: z.enum(["active", "paused", "retired"]),
  paused_by: z.string().nullable(),
  paused_reason: z.string().nullable(),
  path: z.string().nullable(),
  active: z.int().nullable(),
  pending: z.int().nullable(),
  next_slot: time.nullable(),
  last_run: z.object({ id: z.int(), state: runState }).nullable(),
});

/** Slots that did not become runs. */
export const skippedAnswer = z.object({
  slot: time,
  last_slot: time,
  slots: z.int().nullable(),
  outcome: z.enum(["skipped", "missed"]),
  reason: z.string(),
});

/** A version, with its schedules in words. */
export const versionAnswer = z.object({
  job: z.string(),
  number: z.int(),
  state: z.string(),
  source_hash: z.string(),
  manifest: manifestSchema,
  proposed_by: z.string(),
  note: z.string().nullable(),
  rejected_note: z.string().nullable(),
  created_at: time,
  schedules: z.array(
    z.object({
      key: z.string(),
      cron: z.string(),
      timezone: z.string(),
      jitterMs: z.int(),
      words: z.string(),
      next: z.array(time),
    }),
  ),
});

export type JobAnswer = z.infer<typeof jobAnswer>;
export type SkippedAnswer = z.infer<typeof skippedAnswer>;
export type VersionAnswer = z.infer<typeof versionAnswer>;
