import { z } from "zod";
import { formatDuration, parseDuration } from "../duration.ts";
import { callerKinds } from "./manifest.ts";
import { formatBytes } from "./source-limits.ts";

const second = 1_000;
const day = 86_400_000;
const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
/** Longest text that names one file, argument or value. */
const longestText = 4_096;

/** Milliseconds, between `min` and `max`. */
function duration(min: number, max: number) {
  return z.unknown().transform((written, context) => {
    const ms = parseDuration(written);
    if (ms !== undefined && ms >= min && ms <= max) return ms;
    const range = `between ${formatDuration(min)} and ${formatDuration(max)}`;
    context.addIssue(`must be a duration such as "30s", "10m" or "2h", ${range}, not ${JSON.stringify(written)}`);
    return z.NEVER;
  });
}

/** A whole number between `min` and `max`, which `shown` writes for the author. */
function whole(min: number, max: number, shown: (count: number) => string = String) {
  return z.unknown().transform((written, context) => {
    if (typeof written === "number" && Number.isSafeInteger(written) && written >= min && written <= max)
      return written;
    context.addIssue(`must be a whole number from ${shown(min)} to ${shown(max)}, not ${JSON.stringify(written)}`);
    return z.NEVER;
  });
}

function bytes(max: number) {
  return whole(1_024, max, (count) => `${count} (${formatBytes(count)})`);
}

/** A list of texts, with what stands in it in words. */
function texts(what: string, most: number) {
  return z
    .array(
      z.string(`must be the name of a ${what} in quotes`).min(1, `must be the name of a ${what}`).max(longestText),
      `must be a list of ${what}s`,
    )
    .max(most)
    .default([]);
}

const schedule = z.strictObject({
  key: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, "must be lower-case letters, digits and dashes")
    .optional(),
  cron: z.string(),
  timezone: z.string().optional(),
  catchUp: z.enum(["none", "latest", "all"]).default("latest"),
  catchUpMax: z.int().min(1).max(100).default(10),
  overlap: z.enum(["allow", "skip", "queue", "replace"]).default("skip"),
  startDeadline: duration(second, 30 * day).optional(),
  jitter: duration(0, day).default(0),
});

const after = z.strictObject({ job: z.string(), on: z.enum(["success", "failure", "end"]).default("success") });

const triggers = z.strictObject({
  after: z.array(after, "must be a list of jobs").max(20).default([]),
  files: texts("file or folder", 20),
  webhook: z.boolean("must be true or false").default(false),
});

const net = z.strictObject({
  host: z.string(),
  port: z.int().min(1).max(65_535).nullable().optional(),
  private: z.boolean().default(false),
});

const files = z.strictObject({ read: texts("folder", 50), write: texts("folder", 50) });

const exec = z.strictObject({
  command: z.string("must name the program by its whole path").min(1, "must name the program").max(longestText),
  args: z.array(z.string().max(longestText), "must be a list of patterns, one for each argument").max(100).default([]),
  cwd: z.string().max(longestText).nullable().default(null),
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "must be the name of an environment variable such as TZ"),
      z.string("must be a text").max(longestText),
    )
    .default({}),
  repeatable: z.boolean().default(false),
});

/**
 * What an author may write in defineJob, once `schedule` and `net` were brought to their long forms; every default stands here
 * and nowhere else.
 */
export const declarationSchema = z.strictObject({
  description: z.string().trim().min(1, "must say what the job does, for the person who signs it").max(500),
  schedule: z.array(schedule).max(20).default([]),
  triggers: triggers.prefault({}),
  runsOn: texts("label", 10),
  priority: whole(-100, 100).default(0),
  permissions: z
    .strictObject({
      net: z.array(net).max(100).default([]),
      secrets: z
        .record(
          z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, "must be a name such as CHAT_WEBHOOK"),
          z.array(z.string()).min(1, "must name the hosts that may receive it").max(20),
        )
        .default({}),
      files: files.prefault({}),
      llm: texts("model", 20),
      notify: texts("target", 20),
      exec: z.array(exec, "must be a list of programs").max(20).default([]),
      run: texts("job", 50),
      tasks: z.enum(["read", "write"], 'must be "read" or "write"').nullable().default(null),
      agents: texts("role", 20),
    })
    .prefault({}),
  limits: z
    .strictObject({
      timeout: duration(100, day).default(60 * second),
      cpu: duration(100, day).default(30 * second),
      memoryMb: whole(16, 2_048).default(128),
      logBytes: bytes(16 * mebibyte).default(256 * 1024),
      effects: whole(1, 100_000).default(1_000),
      inFlight: whole(1, 64).default(64),
      requestBytes: bytes(64 * mebibyte).default(10 * mebibyte),
      responseBytes: bytes(64 * mebibyte).default(10 * mebibyte),
      journalBytes: bytes(gibibyte).default(64 * mebibyte),
      artifactBytes: bytes(gibibyte).default(64 * mebibyte),
      runsPerHour: whole(1, 100_000).default(4_000),
    })
    .prefault({}),
  retry: z
    .strictObject({
      attempts: z.int().min(1).max(20).default(1),
      backoff: z.enum(["fixed", "exponential"]).default("exponential"),
      delay: duration(0, day).default(10 * second),
      maxDelay: duration(0, day).default(3_600 * second),
    })
    .prefault({}),
  onUncertain: z.enum(["ask", "repeat", "skip"]).default("ask"),
  callers: z
    .array(z.enum(callerKinds), "must be a list of who may start it")
    .min(1, "must name somebody, or nobody could start it")
    .default([...callerKinds]),
  input: z.record(z.string(), z.json()).nullable().default(null),
  timezone: z.string().optional(),
  locale: z.string().optional(),
});

export type Declared = z.infer<typeof declarationSchema>;

const { permissions, limits, retry } = declarationSchema.shape;

/** The keys known at a place, for hints; list positions are left out of the place. */
export const knownKeys: Readonly<Record<string, readonly string[]>> = {
  "": [...Object.keys(declarationSchema.shape), "run"],
  schedule: Object.keys(schedule.shape),
  triggers: Object.keys(triggers.shape),
  "triggers.after": Object.keys(after.shape),
  permissions: Object.keys(permissions.unwrap().shape),
  "permissions.net": Object.keys(net.shape),
  "permissions.files": Object.keys(files.shape),
  "permissions.exec": Object.keys(exec.shape),
  limits: Object.keys(limits.unwrap().shape),
  retry: Object.keys(retry.unwrap().shape),
};

/** What authors look for among the permissions and what to do instead. */
export const noPermissions: Readonly<Record<string, string>> = {
  agent: "the roles of agents that it may use stand in permissions.agents",
  fetch: "fetch goes by permissions.net, a list of hosts",
  jobs: "the jobs that it may start stand in permissions.run",
  models: "models stand in permissions.llm",
  env: "there is no environment: settings come as input, secrets stand in permissions.secrets",
  kv: "kv needs no permission",
  log: "log needs no permission",
  artifacts: "artifacts need no permission; limits.artifactBytes bounds them",
  sleep: "sleep needs no permission",
  ask: "ask needs no permission",
};
