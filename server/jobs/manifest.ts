import { z } from "zod";

/** A schedule with every default filled in. `key` names it within the job, and slots are counted per key. */
const frozenSchedule = z.strictObject({
  key: z.string(),
  cron: z.string(),
  timezone: z.string(),
  catchUp: z.enum(["none", "latest", "all"]),
  /** Most slots that `catchUp: "all"` makes up for. */
  catchUpMax: z.int().positive(),
  overlap: z.enum(["allow", "skip", "queue", "replace"]),
  /** A slot that could not start within this time is recorded as missed; null waits for ever. */
  startDeadlineMs: z.int().positive().nullable(),
  /** Each slot's run starts up to this much after it, by an amount that its job, schedule and slot fix. */
  jitterMs: z.int().nonnegative().default(0),
});

/** What starts the job besides its schedules. */
const frozenTriggers = z.strictObject({
  /** Jobs after whose runs it runs, sorted by name. */
  after: z.array(z.strictObject({ job: z.string(), on: z.enum(["success", "failure", "end"]) })),
  /** Absolute files and folders, sorted, all within `permissions.files`: it runs when something there changes. */
  files: z.array(z.string()),
  /** Whether a secret address of the HTTP door starts it. */
  webhook: z.boolean(),
});

/** One host that a job or role may reach. `port: null` means the scheme's own port; `private` lets the name resolve to a private address. */
export const netGrant = z.strictObject({
  host: z.string(),
  port: z.int().min(1).max(65535).nullable(),
  private: z.boolean(),
});

/** One program that a job may start. Patterns are explained in docs/effects.md. */
const execGrant = z.strictObject({
  /** Absolute path. */
  command: z.string(),
  /** One pattern per argument; `**` as the last one stands for any number of further arguments. */
  args: z.array(z.string()),
  /** Absolute path of the folder that it starts in; null for the run's own. */
  cwd: z.string().nullable(),
  /** Its whole environment besides PATH, HOME and LANG. */
  env: z.record(z.string(), z.string()),
  /** Whether it may be started again after a crash without asking. */
  repeatable: z.boolean(),
});

/** Who may ask for a run. Jobs and agents also need the job named in their own signed manifest. */
export const callerKinds = ["schedule", "person", "host", "job", "agent"] as const;

/**
 * What a version declares, frozen: resolved, normalized, every default written out. Its canonical JSON is hashed and signed,
 * and at run time it rules, whatever the code says.
 */
export const manifestSchema = z.strictObject({
  description: z.string().min(1).max(500),
  schedules: z.array(frozenSchedule),
  triggers: frozenTriggers.default({ after: [], files: [], webhook: false }),
  /** Labels that a worker must have, sorted. */
  runsOn: z.array(z.string()).default([]),
  /** Higher goes first where not all can run; 0 unless declared. */
  priority: z.int().min(-100).max(100).default(0),
  permissions: z.strictObject({
    /** Sorted by host and port. Hosts named for a secret stand here too. */
    net: z.array(netGrant),
    /** Secret name to the hosts (`host` or `host:port`) that may receive it. */
    secrets: z.record(z.string(), z.array(z.string())),
    /** Absolute folders, sorted. What may be written may be read too. */
    files: z.strictObject({ read: z.array(z.string()), write: z.array(z.string()) }),
    /** Names of models, sorted. */
    llm: z.array(z.string()),
    /** Names of targets in config.yaml, sorted. */
    notify: z.array(z.string()),
    exec: z.array(execGrant),
    /** Names of jobs that it may start, sorted. */
    run: z.array(z.string()),
    /** What it may do with tasks; null for nothing. */
    tasks: z.enum(["read", "write"]).nullable().default(null),
    /** Names of roles whose agents it may give tasks to, sorted. */
    agents: z.array(z.string()).default([]),
  }),
  limits: z.strictObject({
    /** Wall time in a runner; what a run sleeps or waits for an answer does not count. */
    timeoutMs: z.int().positive(),
    cpuMs: z.int().positive(),
    memoryMb: z.int().positive(),
    logBytes: z.int().positive(),
    /** Effects of one attempt. */
    effects: z.int().positive(),
    /** Effects in flight at a time; further ones wait their turn. */
    inFlight: z.int().positive(),
    /** Longest body of one request, file or input of a program that leaves the job. */
    requestBytes: z.int().positive(),
    /** Longest body of one response, file or output of a program that comes in. */
    responseBytes: z.int().positive(),
    /** Arguments and results of one attempt together. */
    journalBytes: z.int().positive(),
    artifactBytes: z.int().positive(),
    runsPerHour: z.int().positive(),
  }),
  retry: z.strictObject({
    /** Tries in all, the first included. */
    attempts: z.int().min(1),
    backoff: z.enum(["fixed", "exponential"]),
    delayMs: z.int().nonnegative(),
    maxDelayMs: z.int().nonnegative(),
  }),
  /** What happens to an effect that is not safe to repeat and that a crash cut off. */
  onUncertain: z.enum(["ask", "repeat", "skip"]),
  /** Sorted as in `callerKinds`. */
  callers: z.array(z.enum(callerKinds)),
  /** JSON Schema (draft 2020-12) of the input, or null where the job takes none. */
  input: z.record(z.string(), z.json()).nullable(),
  /** IANA zone and BCP 47 locale inside the sandbox. */
  timezone: z.string(),
  locale: z.string(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type FrozenSchedule = Manifest["schedules"][number];
export type Triggers = Manifest["triggers"];
export type NetGrant = Manifest["permissions"]["net"][number];
export type ExecGrant = Manifest["permissions"]["exec"][number];
