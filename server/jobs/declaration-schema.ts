import { z } from "zod";
import { formatDuration, parseDuration } from "./duration.ts";

const second = 1_000;
const day = 86_400_000;
const mebibyte = 1024 * 1024;

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
});

const net = z.strictObject({
  host: z.string(),
  port: z.int().min(1).max(65_535).nullable().optional(),
  private: z.boolean().default(false),
});

/**
 * What an author may write in defineJob, once `schedule` and `net` were brought to their long forms; every default stands here
 * and nowhere else.
 */
export const declarationSchema = z.strictObject({
  description: z.string().trim().min(1, "must say what the job does, for the person who signs it").max(500),
  schedule: z.array(schedule).max(20).default([]),
  permissions: z
    .strictObject({
      net: z.array(net).max(100).default([]),
      secrets: z
        .record(
          z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, "must be a name such as CHAT_WEBHOOK"),
          z.array(z.string()).min(1, "must name the hosts that may receive it").max(20),
        )
        .default({}),
    })
    .prefault({}),
  limits: z
    .strictObject({
      timeout: duration(100, day).default(60 * second),
      memoryMb: z.int().min(16).max(2_048).default(128),
      logBytes: z
        .int()
        .min(1_024)
        .max(16 * mebibyte)
        .default(256 * 1024),
      effects: z.int().min(1).max(100_000).default(1_000),
      responseBytes: z
        .int()
        .min(1_024)
        .max(64 * mebibyte)
        .default(10 * mebibyte),
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
  input: z.record(z.string(), z.json()).nullable().default(null),
  timezone: z.string().optional(),
  locale: z.string().optional(),
});

export type Declared = z.infer<typeof declarationSchema>;

/** The keys known at a place, for hints; list positions are left out of the place. */
export const knownKeys: Readonly<Record<string, readonly string[]>> = {
  "": [...Object.keys(declarationSchema.shape), "run"],
  schedule: Object.keys(schedule.shape),
  permissions: ["net", "secrets"],
  "permissions.net": Object.keys(net.shape),
  limits: ["timeout", "memoryMb", "logBytes", "effects", "responseBytes"],
  retry: ["attempts", "backoff", "delay", "maxDelay"],
};

/** Permissions that later versions of the product will have. */
export const laterPermissions: readonly string[] = [
  "llm",
  "files",
  "exec",
  "notify",
  "artifacts",
  "tasks",
  "run",
  "agent",
  "sleep",
  "ask",
];
