import { homedir } from "node:os";
import { z } from "zod";
import { canonicalJson } from "../canonical-json.ts";
import { homePaths } from "../home.ts";
import { sha256 } from "../sha256.ts";
import { checkCron, findTimezone } from "./check-cron.ts";
import { type Declared, declarationSchema } from "./declaration-schema.ts";
import { freezeNames, labelProblem } from "./freeze-names.ts";
import type { Folders } from "./freeze-path.ts";
import { freezePermissions } from "./freeze-permissions.ts";
import { freezeTriggers } from "./freeze-triggers.ts";
import { callerKinds, type FrozenSchedule, type Manifest, manifestSchema } from "./manifest.ts";
import { type ManifestProblem, toProblems } from "./manifest-problems.ts";

export type FrozenManifest = Readonly<
  { ok: true; manifest: Manifest; text: string; hash: string } | { ok: false; problems: readonly ManifestProblem[] }
>;

export type ManifestDefaults = Readonly<{
  timezone: string;
  locale: string;
  now: Date;
  /** Absolute: what `~` stands for, and our own folder, of which no job gets any part; those of this process otherwise. */
  folders?: Folders;
}>;

const inputSchemaLength = 64 * 1024;

/**
 * Turns what `defineJob` got (plain JSON) into the manifest that is signed: checked, resolved, normalized, every default written
 * out. `text` is its canonical JSON and `hash` the hash of that. `defaults` come from the configuration.
 */
export function freezeManifest(declarationJson: string, defaults: ManifestDefaults): FrozenManifest {
  const declared = declarationSchema.safeParse(toLongForms(JSON.parse(declarationJson)));
  if (!declared.success) return { ok: false, problems: toProblems(declared.error) };
  const problems: ManifestProblem[] = [];
  const manifest = resolve(declared.data, defaults, problems);
  if (problems.length > 0) return { ok: false, problems };
  const text = canonicalJson(manifestSchema.parse(manifest));
  return { ok: true, manifest, text, hash: sha256(text) };
}

const anyRecord = z.record(z.string(), z.unknown());

/** Authors may write one schedule as a string or object, and a host or another job as a string. */
function toLongForms(declaration: unknown): unknown {
  const record = anyRecord.safeParse(declaration);
  if (!record.success) return declaration;
  const { schedule, permissions, triggers, ...rest } = record.data;
  const list =
    schedule === undefined || schedule === null ? undefined : Array.isArray(schedule) ? schedule : [schedule];
  const powers = anyRecord.safeParse(permissions);
  const starts = anyRecord.safeParse(triggers);
  const after: unknown = starts.success ? starts.data.after : undefined;
  const net: unknown = powers.success ? powers.data.net : undefined;
  return {
    ...rest,
    ...(list === undefined
      ? {}
      : { schedule: list.map((each: unknown) => (typeof each === "string" ? { cron: each } : each)) }),
    ...(triggers === undefined ? {} : { triggers }),
    ...(starts.success && Array.isArray(after)
      ? {
          triggers: {
            ...starts.data,
            after: after.map((each: unknown) => (typeof each === "string" ? { job: each } : each)),
          },
        }
      : {}),
    ...(permissions === undefined ? {} : { permissions }),
    ...(powers.success && Array.isArray(net)
      ? {
          permissions: {
            ...powers.data,
            net: net.map((each: unknown) => (typeof each === "string" ? { host: each } : each)),
          },
        }
      : {}),
  };
}

function resolve(declared: Declared, defaults: ManifestDefaults, problems: ManifestProblem[]): Manifest {
  const { description, permissions, limits, retry, input } = declared;
  const folders = defaults.folders ?? { user: homedir(), own: homePaths().root };
  const timezone = resolveTimezone(declared.timezone ?? defaults.timezone, "timezone", problems);
  const schedules = declared.schedule.map((each, index) =>
    freezeSchedule(each, index, { timezone, now: defaults.now }, problems),
  );
  const keys = schedules.map(({ key }) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined)
    problems.push({
      path: "schedule",
      message: `two schedules have the key "${twice}"`,
      hint: "give each its own key",
    });
  const { after, files, webhook } = declared.triggers;
  const startsItself = schedules.length + after.length + files.length > 0 || webhook;
  checkInputSchema(input, startsItself, problems);
  const frozenPermissions = freezePermissions(permissions, folders, problems);
  return {
    description,
    schedules,
    triggers: freezeTriggers(declared, frozenPermissions.files, folders, problems),
    runsOn: freezeNames(declared.runsOn, "runsOn", labelProblem, problems),
    priority: declared.priority,
    permissions: frozenPermissions,
    limits: freezeLimits(limits),
    retry: {
      attempts: retry.attempts,
      backoff: retry.backoff,
      delayMs: retry.delay,
      maxDelayMs: Math.max(retry.delay, retry.maxDelay),
    },
    onUncertain: declared.onUncertain,
    callers: freezeCallers(declared, problems),
    input,
    timezone,
    locale: resolveLocale(declared.locale ?? defaults.locale, problems),
  };
}

/** The units stand in the frozen names. */
function freezeLimits({ timeout, cpu, ...rest }: Declared["limits"]): Manifest["limits"] {
  return { timeoutMs: timeout, cpuMs: cpu, ...rest };
}

function freezeCallers({ callers, schedule }: Declared, problems: ManifestProblem[]): Manifest["callers"] {
  if (schedule.length > 0 && !callers.includes("schedule")) {
    problems.push({
      path: "callers",
      message: "the job has a schedule, and callers does not let it start the job",
      hint: 'add "schedule" to callers, or leave the schedule out',
    });
  }
  return callerKinds.filter((kind) => callers.includes(kind));
}

function freezeSchedule(
  { key, cron, timezone, catchUp, catchUpMax, overlap, startDeadline, jitter }: Declared["schedule"][number],
  index: number,
  job: { timezone: string; now: Date },
  problems: ManifestProblem[],
): FrozenSchedule {
  const checked = checkCron(cron, job.now);
  if (!checked.ok) problems.push({ path: `schedule.${index}.cron`, message: checked.message, hint: checked.hint });
  return {
    key: key ?? (index === 0 ? "main" : `schedule-${index + 1}`),
    cron: checked.ok ? checked.cron : cron,
    timezone: timezone === undefined ? job.timezone : resolveTimezone(timezone, `schedule.${index}.timezone`, problems),
    catchUp,
    catchUpMax,
    overlap,
    startDeadlineMs: startDeadline ?? null,
    jitterMs: jitter,
  };
}

function resolveTimezone(written: string, path: string, problems: ManifestProblem[]): string {
  const found = findTimezone(written);
  if (found === undefined) {
    problems.push({
      path,
      message: `there is no time zone ${JSON.stringify(written.slice(0, 60))}`,
      hint: 'an IANA name such as "Europe/Berlin", "Asia/Seoul" or "UTC"',
    });
  }
  return found ?? written;
}

function resolveLocale(written: string, problems: ManifestProblem[]): string {
  try {
    const [locale] = Intl.DateTimeFormat.supportedLocalesOf(written);
    if (locale !== undefined) return locale;
  } catch {
    // Not even the form of a locale: told below like an unknown one.
  }
  problems.push({
    path: "locale",
    message: `there is no locale ${JSON.stringify(written.slice(0, 60))}`,
    hint: 'a BCP 47 name such as "en-US" or "ko-KR"',
  });
  return written;
}

function checkInputSchema(input: Declared["input"], startsItself: boolean, problems: ManifestProblem[]): void {
  if (input === null) return;
  if (JSON.stringify(input).length > inputSchemaLength) {
    problems.push({
      path: "input",
      message: "the schema of the input is larger than 64 KB of JSON",
      hint: "check large data inside run()",
    });
    return;
  }
  let schema: z.ZodType;
  try {
    schema = z.fromJSONSchema(input);
  } catch {
    problems.push({
      path: "input",
      message: "the schema of the input has no form in JSON Schema",
      hint: "use z.object, z.string, z.number, z.boolean, z.array and z.enum",
    });
    return;
  }
  const empty = schema.safeParse({});
  if (!startsItself || empty.success) return;
  const fields = empty.error.issues.map(({ path }) => path.map(String).join(".")).filter((field) => field !== "");
  problems.push({
    path: "input",
    message: `a run that a schedule or trigger starts gets no input, so it would fail: ${fields.join(", ") || "the input"} has no default`,
    hint: "give every field a .default(…) or make it .optional()",
  });
}
