import { availableParallelism } from "node:os";
import { z } from "zod";
import { parseDuration } from "./duration.ts";

/** Such as Europe/Berlin. */
export function machineTimezone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const timezone = z
  .string()
  .refine(isTimezone, { error: "it is not a time zone; write one such as Europe/Vienna or UTC" });
const locale = z.string().refine(isLocale, { error: "it is not a language tag; write one such as en-US" });
const url = z.string().refine((text) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text), {
  error: "it is not a PostgreSQL address; write it as postgres://user:password@host:5432/database",
});

const webUrl = z.string().refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), {
  error: "it is not a web address; write it as https://example.org/path",
});
const notifyKinds = "desktop, webhook, slack, discord or ntfy";
const notifyTarget = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("desktop") }),
    z.strictObject({ kind: z.literal("webhook"), url: webUrl }),
    z.strictObject({ kind: z.literal("slack"), url: webUrl }),
    z.strictObject({ kind: z.literal("discord"), url: webUrl }),
    z.strictObject({ kind: z.literal("ntfy"), url: webUrl }),
  ],
  { error: `a target has a kind: ${notifyKinds}` },
);
const targetName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, {
  error: "a target's name has lower-case letters, digits and dashes, a letter first",
});

/** A label of a worker, or one that a job asks for with `runsOn`. */
const workerLabel = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, {
  error: "a label has lower-case letters, digits and dashes, a letter first",
});

/** The labels of a worker as one text: separated by commas or spaces. */
export const workerLabels = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((label) => label !== ""))
  .pipe(z.array(workerLabel).max(100));

/** Where an agent's model runs: on Ollama, or behind a host's own program. */
export const cloudNames = ["claude", "gemini", "codex"] as const;
const providerNames = ["ollama", ...cloudNames] as const;
export const providerName = z.enum(providerNames, { error: `a provider is one of ${providerNames.join(", ")}` });
export type ProviderName = z.infer<typeof providerName>;
export type CloudName = (typeof cloudNames)[number];

/** Longest wait for one answer; milliseconds once it is read. */
const answerTime = z
  .union([z.string(), z.number()])
  .transform((written) => parseDuration(written) ?? Number.NaN)
  .refine((ms) => ms >= 1_000 && ms <= 3_600_000, {
    error: 'it is no time from a second to an hour; write one such as "10m"',
  });
const usd = z.number().min(0).max(1_000_000);
/** A host's own program, run without a terminal as a model. */
function cloudProvider(command: string) {
  return z
    .strictObject({
      enabled: z.boolean().default(false),
      /** Found on the PATH, or an absolute path. */
      command: z.string().min(1).default(command),
      /** Null leaves the choice to the program. */
      model: z.string().min(1).nullable().default(null),
      /** Variables that the program gets besides the few that every program needs. */
      env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
      /** What a million tokens cost, for programs that tell tokens but no price. */
      usdPerMillion: z.strictObject({ input: usd, output: usd }).nullable().default(null),
      timeout: answerTime.prefault("10m"),
    })
    .prefault({});
}

const day = 86_400_000;
/** Milliseconds once it is read. */
const wallTime = z
  .union([z.string(), z.number()])
  .transform((written) => parseDuration(written) ?? Number.NaN)
  .refine((ms) => ms >= 1_000 && ms <= 30 * day, {
    error: 'it is no time from a second to 30 days; write one such as "2h"',
  });
/** As jobs write durations; milliseconds once it is read. */
const pause = z
  .union([z.string(), z.number()])
  .transform((written) => parseDuration(written) ?? Number.NaN)
  .refine((ms) => ms >= 60_000 && ms <= day, { error: 'it is no time from a minute to a day; write one such as "1h"' });

/** Where messages may go; the address of one that has a url is a secret. */
export type NotifyTarget = z.infer<typeof notifyTarget>;

/** Port of the HTTP door; 0 lets the system choose. */
export const port = z.int().min(0).max(65_535);
export const logLevel = z.enum(["debug", "info", "warn", "error"]);
export const databaseUrl = url;

/** What `config.yaml` may say. Every default stands here and nowhere else. */
const settings = z.strictObject({
  /** Folder of the jobs; undefined leaves the choice to loadConfig. */
  jobs: z.string().min(1).optional(),
  timezone: timezone.optional(),
  locale: locale.default("en-US"),
  store: z.strictObject({ url: url.nullable().default(null) }).prefault({}),
  http: z
    .strictObject({
      enabled: z.boolean().default(true),
      host: z.string().min(1).default("127.0.0.1"),
      port: port.default(7717),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: logLevel.default("info"),
      fileMb: z.number().positive().max(10_000).default(10),
      files: z.int().min(0).max(100).default(5),
    })
    .prefault({}),
  runners: z
    .strictObject({
      max: z
        .int()
        .min(1)
        .max(64)
        .default(() => Math.min(8, Math.max(2, availableParallelism()))),
      warm: z.int().min(0).max(16).default(1),
    })
    .prefault({}),
  labels: z.array(workerLabel).max(100).default([]),
  retention: z
    .strictObject({
      days: z.number().positive().max(36_500).default(90),
      runsPerJob: z.int().min(1).default(1_000),
      archive: z.boolean().default(false),
    })
    .prefault({}),
  ollama: z
    .strictObject({
      url: webUrl.default("http://127.0.0.1:11434"),
      /** As Ollama reads it: a duration such as "5m", 0 to unload at once, "-1m" to keep for ever. */
      keepAlive: z
        .string()
        .regex(/^(0|-?(\d+(\.\d+)?(ms|s|m|h))+)$/, { error: 'it is not a duration; write one such as "5m", or "0"' })
        .default("5m"),
      concurrency: z.int().min(1).max(64).default(1),
    })
    .prefault({}),
  agents: z
    .strictObject({
      /** Agents at work at once. */
      max: z.int().min(1).max(64).default(3),
      /** For roles that name none, in the order in which they are tried. */
      models: z
        .array(z.strictObject({ provider: providerName, model: z.string().min(1).nullable().default(null) }))
        .min(1)
        .max(10)
        .default([{ provider: "ollama", model: "qwen3:4b" }]),
      cloud: z
        .strictObject({
          claude: cloudProvider("claude"),
          gemini: cloudProvider("gemini"),
          codex: cloudProvider("codex"),
        })
        .prefault({}),
      /** Most that cloud models may use in 24 hours; null for no limit. */
      budget: z
        .strictObject({
          usdPerDay: usd.nullable().default(5),
          tokensPerDay: z.int().min(0).nullable().default(null),
        })
        .prefault({}),
    })
    .prefault({}),
  skills: z
    .strictObject({
      /** Folders with further skills, a folder each. */
      paths: z.array(z.string().min(1)).max(20).default([]),
    })
    .prefault({}),
  notify: z
    .strictObject({
      default: z.string().default("desktop"),
      /** The desktop of this machine is there unless another target has its name. */
      targets: z
        .record(targetName, notifyTarget)
        .transform((targets): Record<string, NotifyTarget> => ({ desktop: { kind: "desktop" }, ...targets }))
        .prefault({}),
    })
    .refine(({ default: name, targets }) => Object.hasOwn(targets, name), {
      path: ["default"],
      error: "no target in notify.targets has that name",
    })
    .prefault({}),
  plans: z
    .strictObject({
      nodes: z.int().min(1).max(500).default(100),
      parallel: z.int().min(1).max(64).default(4),
      agents: z.int().min(0).max(1_000).default(30),
      depth: z.int().min(1).max(10).default(3),
      tokens: z.int().min(0).default(2_000_000),
      usd: z.number().min(0).max(10_000).default(2),
      wall: wallTime.prefault("4h"),
      attempts: z.int().min(1).max(10).default(3),
    })
    .prefault({}),
  tasks: z
    .strictObject({
      /** Repositories whose issues are tasks, too. */
      github: z
        .array(
          z.strictObject({
            repo: z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/, "must be owner/name"),
            token: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, "must be the name of a secret such as GITHUB_TOKEN"),
            direction: z.enum(["both", "pull", "push"]).default("both"),
            labels: z.array(z.string().min(1).max(49)).max(10).default([]),
            every: pause.prefault("1m"),
            url: z.url({ protocol: /^https?$/ }).default("https://api.github.com"),
          }),
        )
        .max(50)
        .refine(
          (repos) => new Set(repos.map(({ repo }) => repo)).size === repos.length,
          "a repository stands here twice",
        )
        .default([]),
    })
    .prefault({}),
  alerts: z
    .strictObject({
      /** Undefined leaves the choice to loadConfig. */
      targets: z.array(z.string()).max(20).optional(),
      every: pause.prefault("1h"),
      recovery: z.boolean().default(true),
      tasks: z.boolean().default(true),
    })
    .prefault({}),
});

/** The settings, with what spans several of them checked. */
export const configFile = settings.superRefine(({ alerts, notify }, problems) => {
  for (const [i, name] of (alerts.targets ?? []).entries()) {
    if (Object.hasOwn(notify.targets, name)) continue;
    const message = `no target in notify.targets has the name "${name}"`;
    problems.addIssue({ code: "custom", path: ["alerts", "targets", i], message });
  }
});

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
