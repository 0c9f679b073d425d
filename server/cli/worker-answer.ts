import { z } from "zod";

/** A worker, as the person's door tells of it. */
export const workerAnswer = z.object({
  name: z.string(),
  host: z.string(),
  role: z.string(),
  home: z.string(),
  pid: z.int(),
  version: z.string(),
  labels: z.array(z.string()),
  running: z.int(),
  max: z.int(),
  problem: z.string().nullable(),
  /** `active`, `draining`, `silent`, `lost` or `ended`. */
  state: z.string(),
  /** Jobs that it leaves to others, and what it lacks for them. */
  lacks: z.array(z.object({ job: z.string(), why: z.string() })),
  started_at: z.string(),
  heartbeat_at: z.string(),
  silent_ms: z.number(),
});

export type WorkerAnswer = z.infer<typeof workerAnswer>;
