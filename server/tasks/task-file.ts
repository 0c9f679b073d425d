import { z } from "zod";

/*
 * What a file of tasks holds, whatever its format: Markdown for people, JSON for programs. Keys name tasks within the file; in what
 * was exported they are the handles that the tasks had there.
 */

const words = z.array(z.string().max(60)).max(100);

/** A task of a file. */
export const fileTask = z.strictObject({
  key: z.string().min(1).max(60),
  title: z.string().min(1).max(500),
  state: z.enum(["open", "in_progress", "done", "failed", "cancelled", "skipped"]).default("open"),
  body: z.string().max(50_000).nullable().default(null),
  result: z.string().max(50_000).nullable().default(null),
  parent: z.string().max(60).nullable().default(null),
  needs: words.default([]),
  urgency: z.enum(["low", "normal", "high", "now"]).default("normal"),
  priority: z.int().min(-100).max(100).default(0),
  complexity: z.enum(["low", "medium", "high"]).default("medium"),
  labels: words.default([]),
  /** A day, or an instant with its zone. */
  due: z.string().max(40).nullable().default(null),
  assignee: z.string().max(200).nullable().default(null),
  person: z.boolean().default(false),
  notes: z
    .array(z.strictObject({ at: z.string().max(40), by: z.string().max(200), text: z.string().max(50_000) }))
    .max(1_000)
    .default([]),
});
export type FileTask = z.infer<typeof fileTask>;

/** A JSON file of tasks. */
export const taskFile = z.strictObject({
  format: z.literal("jobrunner-tasks/1"),
  tasks: z.array(fileTask).max(10_000),
});
