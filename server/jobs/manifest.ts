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
});

/** One host that a job may reach. `port: null` means the scheme's own port; `private` lets the name resolve to a private address. */
const netGrant = z.strictObject({
  host: z.string(),
  port: z.int().min(1).max(65535).nullable(),
  private: z.boolean(),
});

/**
 * What a version declares, frozen: resolved, normalized, every default written out. Its canonical JSON is hashed and signed,
 * and at run time it rules, whatever the code says.
 */
export const manifestSchema = z.strictObject({
  description: z.string().min(1).max(500),
  schedules: z.array(frozenSchedule),
  permissions: z.strictObject({
    /** Sorted by host and port. Hosts named for a secret stand here too. */
    net: z.array(netGrant),
    /** Secret name to the hosts (`host` or `host:port`) that may receive it. */
    secrets: z.record(z.string(), z.array(z.string())),
  }),
  limits: z.strictObject({
    timeoutMs: z.int().positive(),
    memoryMb: z.int().positive(),
    logBytes: z.int().positive(),
    effects: z.int().positive(),
    responseBytes: z.int().positive(),
  }),
  retry: z.strictObject({
    /** Tries in all, the first included. */
    attempts: z.int().min(1),
    backoff: z.enum(["fixed", "exponential"]),
    delayMs: z.int().nonnegative(),
    maxDelayMs: z.int().nonnegative(),
  }),
  /** JSON Schema (draft 2020-12) of the input, or null where the job takes none. */
  input: z.record(z.string(), z.json()).nullable(),
  /** IANA zone and BCP 47 locale inside the sandbox. */
  timezone: z.string(),
  locale: z.string(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type FrozenSchedule = Manifest["schedules"][number];
export type NetGrant = Manifest["permissions"]["net"][number];
