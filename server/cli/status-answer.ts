import { z } from "zod";
import { questionAnswer } from "./question-answer.ts";
import { workerAnswer } from "./worker-answer.ts";

const nameable = z.object({ job: z.string(), version: z.number() });

const activity = z.object({
  id: z.number(),
  run: z.string(),
  job: z.string(),
  version: z.number().nullable(),
  attempt: z.number(),
  state: z.string(),
  trigger: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  error: z.string().nullable(),
});

/** What GET /api/activity says: the latest runs and the versions that wait. */
export const activityAnswer = z.object({ runs: z.array(activity), waiting: z.array(nameable) });

/** What GET /api/status says. */
export const statusAnswer = z.object({
  version: z.string(),
  pid: z.number(),
  started_at: z.string(),
  home: z.string(),
  jobs_folder: z.string(),
  store: z.object({ kind: z.string(), version: z.string() }),
  timezone: z.string(),
  memory_mb: z.number(),
  approvals: z.object({
    keys: z.number(),
    set_up: z.boolean(),
    protected: z.boolean(),
    problem: z.string().nullable(),
  }),
  jobs: z.number(),
  paused: z.array(z.string()),
  tasks: z.object({ ready: z.number(), for_you: z.array(z.object({ task: z.string(), title: z.string() })) }),
  plans: z.array(z.object({ plan: z.string(), state: z.string(), goal: z.string() })),
  agents: z.object({ running: z.number(), queued: z.number() }),
  waiting: z.array(nameable.extend({ command: z.string() })),
  /** Roles, skills, MCP servers and commands that wait. */
  unsigned: z.array(z.object({ what: z.string(), command: z.string(), name: z.string().nullable() })),
  questions: z.array(questionAnswer),
  next: z.array(z.object({ job: z.string(), at: z.string() })),
  live: z.array(activity),
  alerts: z.array(
    z.object({
      message: z.string(),
      count: z.number(),
      /** The words of the command that looks closer. */
      command: z.array(z.string()).nullable(),
      last_at: z.string(),
    }),
  ),
  failing_targets: z.array(z.object({ target: z.string(), since: z.string(), message: z.string() })),
  dead: z.int(),
  folder_problems: z.array(z.object({ file: z.string(), line: z.number(), message: z.string() })),
  runners: z.object({ idle: z.number(), busy: z.number(), max: z.number() }),
  worker: z.object({ running: z.number(), max: z.number(), connected: z.boolean(), trouble: z.string().nullable() }),
  workers: z.array(workerAnswer),
});

export type Activity = z.infer<typeof activity>;
export type StatusAnswer = z.infer<typeof statusAnswer>;
