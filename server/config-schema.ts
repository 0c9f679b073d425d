import { availableParallelism } from "node:os";
import { z } from "zod";

const timezone = z
  .string()
  .refine(isTimezone, { error: "it is not a time zone; write one such as Europe/Vienna or UTC" });
const locale = z.string().refine(isLocale, { error: "it is not a language tag; write one such as en-US" });
const url = z.string().refine((text) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text), {
  error: "it is not a PostgreSQL address; write it as postgres://user:password@host:5432/database",
});

/** Port of the HTTP door; 0 lets the system choose. */
export const port = z.int().min(0).max(65_535);
export const logLevel = z.enum(["debug", "info", "warn", "error"]);
export const databaseUrl = url;

/** What `config.yaml` may say. Every default stands here and nowhere else. */
export const configFile = z.strictObject({
  /** Folder of the jobs; undefined leaves the choice to loadConfig. */
  jobs: z.string().min(1).optional(),
  timezone: timezone.default(() => new Intl.DateTimeFormat().resolvedOptions().timeZone),
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
  retention: z
    .strictObject({
      days: z.number().positive().max(36_500).default(90),
      runsPerJob: z.int().min(1).default(1_000),
    })
    .prefault({}),
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
