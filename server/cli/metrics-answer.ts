import { z } from "zod";
import { metricsWindows } from "../runs/metrics/metrics-windows.ts";

const seconds = z.number().nullable();
const percentiles = { p50: seconds, p95: seconds, p99: seconds };
const count = z.int();

/** What GET /api/metrics says. */
export const metricsAnswer = z.object({
  now: z.object({
    queue: z.object({
      due: count,
      waiting: count,
      paused: count,
      running: count,
      suspended: count,
      needs_decision: count,
    }),
    oldest_due_seconds: z.number(),
    schedule_behind_seconds: z.number(),
    jobs: z.object({ active: count, paused: count, retired: count }),
    dead: z.array(z.object({ job: z.string(), count })),
    alerts_open: count,
    agents: z.object({ queued: count, running: count }),
    models: z.array(
      z.object({
        provider: z.string(),
        model: z.string(),
        tokens_in: count,
        tokens_out: count,
        cost_microusd: count,
        accepted: count,
        refused: count,
        failed: count,
      }),
    ),
    workers: z.object({ active: count, draining: count, lost: count, running: count, max: count }),
    store_bytes: z.number(),
  }),
  window: z.object({
    window: z.enum(metricsWindows),
    since: z.coerce.date(),
    complete: z.boolean(),
    runs: count,
    jobs: z.array(
      z.object({
        job: z.string(),
        runs: count,
        succeeded: count,
        failed: count,
        timed_out: count,
        out_of_memory: count,
        crashed: count,
        cancelled: count,
        denied: count,
        retries: count,
        ...percentiles,
      }),
    ),
    lateness: z.object({ ...percentiles, runs: count }),
    slots: z.object({ skipped: count, missed: count }),
    effects: z.array(
      z.object({
        op: z.string(),
        outcome: z.enum(["ok", "error", "unknown"]),
        count,
        promptTokens: z.number(),
        outputTokens: z.number(),
      }),
    ),
    effectsComplete: z.boolean(),
  }),
  runners: z.object({ idle: count, busy: count }),
  process: z.object({
    memory_bytes: z.number(),
    heap_bytes: z.number(),
    cpu_seconds: z.number(),
    event_loop_seconds: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  }),
});

export type MetricsAnswer = z.infer<typeof metricsAnswer>;
