import { z } from "zod";
import { formatTime } from "../format-time.ts";
import { limitsText } from "../jobs/limits-text.ts";
import { type FrozenSchedule, manifestSchema } from "../jobs/manifest.ts";
import { nextSlots, scheduleInWords } from "../jobs/schedule-words.ts";
import { jitterInWords, priorityInWords, triggersInWords } from "../jobs/trigger-words.ts";
import type { DiffBehaviour } from "../rehearsal/behaviour-report.ts";
import { behaviourLines } from "../rehearsal/behaviour-text.ts";
import { rehearsalReportSchema } from "../rehearsal/rehearsal-report.ts";
import { reportLines } from "../rehearsal/report-text.ts";
import type { Db } from "../store/open-store.ts";
import type { Approvals } from "./approvals.ts";
import { codeDiff, type FileDiff } from "./code-diff.ts";
import { permissionLines } from "./permission-lines.ts";
import { readReviewMaterial } from "./read-review-material.ts";
import type { ReviewMaterial, VersionMaterial } from "./review-material.ts";
import { visibleLine, visibleText } from "./visible-text.ts";
import { narrowed, widened } from "./widened.ts";

/** What a person sees before signing, as plain JSON. Every text in it shows hidden characters as `⟨U+202E⟩`. */
export type Review = Readonly<{
  job: string;
  version: number;
  state: VersionMaterial["state"];
  newest: number;
  /** The active version that this one is compared with; null where nothing is approved, or this is the active one. */
  base: number | null;
  active: { version: number; decidedAt: string; keyId: string } | null;
  pausedBy: string | null;
  description: string;
  proposedBy: string;
  note: string | null;
  rejectedNote: string | null;
  proposedAt: string;
  schedules: readonly { words: string; cron: string; timezone: string; next: readonly string[]; rules: string }[];
  /** What starts it besides its schedules, in words. */
  triggers: readonly string[];
  /** In words; null where it is the usual one. */
  priority: string | null;
  /** What it may do that the approved version may not; for a first version, all that it may do. */
  widened: readonly string[];
  narrowed: readonly string[];
  permissions: readonly string[];
  limits: string;
  /** Labels that a machine must have to run it; empty for any. */
  runsOn: readonly string[];
  /** Changes against `base`, or all source files as added. Code of packages is not in it. */
  code: readonly FileDiff[];
  packages: readonly { name: string; version: string; bytes: number; change: string | null }[];
  packagesGone: readonly string[];
  /** Files of packages whose content changed under an unchanged version number. */
  packagesEdited: readonly string[];
  checks: readonly string[];
  /** What it did when it was rehearsed; empty where it was not. */
  rehearsal: readonly string[];
  /** What it would have done otherwise in the last runs of `base`; empty where that was not compared. */
  behaviour: readonly string[];
  hashes: { source: string; bundle: string; manifest: string };
  keys: ReviewMaterial["keys"];
}>;

const packagesSchema = z.array(z.object({ name: z.string(), version: z.string(), bytes: z.number() }));
const checksSchema = z.array(
  z.union([z.string(), z.object({ file: z.string(), line: z.number(), message: z.string() })]),
);
const nextFires = 5;
const shownRehearsal = { effects: 40, logLines: 5 };

/** The review of a version, the newest that waits where none is named. Throws `job_not_found`, `version_not_found`. */
export async function buildReview(
  deps: Readonly<{
    db: Db;
    approvals: Approvals;
    clock: () => Date;
    diffBehaviour?: DiffBehaviour | undefined;
  }>,
  job: string,
  version?: number,
): Promise<Review> {
  return composeReview(await readReviewMaterial(deps, job, version), deps.clock());
}

/** Makes the review of its material alone, so that the person's process can make it of material that it has checked itself. */
export function composeReview(material: ReviewMaterial, now: Date): Review {
  const { version: it, base } = material;
  const manifest = manifestSchema.parse(JSON.parse(it.manifest));
  const old = base === null ? undefined : manifestSchema.parse(JSON.parse(base.manifest));
  return {
    job: it.job,
    version: it.number,
    state: it.state,
    newest: material.newest,
    base: base?.number ?? null,
    active: material.active,
    pausedBy: material.pausedBy,
    description: visibleLine(manifest.description),
    proposedBy: visibleLine(it.proposed_by),
    note: it.note === null ? null : visibleText(it.note),
    rejectedNote: it.rejected_note === null ? null : visibleText(it.rejected_note),
    proposedAt: it.created_at,
    schedules: manifest.schedules.map((schedule) => describeSchedule(schedule, now)),
    triggers: triggersInWords(manifest.triggers).map(visibleLine),
    priority: priorityInWords(manifest) ?? null,
    widened: widened(old, manifest, now).map(visibleLine),
    narrowed: narrowed(old, manifest, now).map(visibleLine),
    permissions: permissionLines(manifest).map(visibleLine),
    limits: limitsText(manifest),
    runsOn: manifest.runsOn.map(visibleLine),
    code: [...codeDiff(base === null ? new Map() : ownFiles(base), ownFiles(it)), ...invisibleChanges(it, base)],
    ...describePackages(it, base),
    checks: checksSchema
      .parse(JSON.parse(it.checks))
      .map((check) => visibleLine(typeof check === "string" ? check : `${check.file}:${check.line} ${check.message}`)),
    rehearsal: rehearsalLines(it.rehearsal).map(visibleLine),
    behaviour: material.behaviour === null ? [] : behaviourLines(material.behaviour).map(visibleLine),
    hashes: { source: it.source_hash, bundle: it.bundle_hash, manifest: it.manifest_hash },
    keys: material.keys,
  };
}

/** The report is unsigned and for display, so one that cannot be read must not hide the review. */
function rehearsalLines(json: string | null): string[] {
  if (json === null) return [];
  try {
    return reportLines(rehearsalReportSchema.parse(JSON.parse(json)), shownRehearsal);
  } catch {
    return ["what is stored of it cannot be read"];
  }
}

function describeSchedule(schedule: FrozenSchedule, now: Date): Review["schedules"][number] {
  const { cron, timezone, catchUp, catchUpMax, overlap, startDeadlineMs } = schedule;
  const jitter = jitterInWords(schedule);
  const rules = [
    `missed slots: ${catchUp === "all" ? `all, at most ${catchUpMax}` : catchUp}`,
    `while one runs: ${overlap}`,
    ...(startDeadlineMs === null ? [] : [`start within ${startDeadlineMs / 1000} s`]),
    ...(jitter === undefined ? [] : [jitter]),
  ];
  return {
    words: visibleLine(scheduleInWords(schedule)),
    cron: visibleLine(cron),
    timezone: visibleLine(timezone),
    next: nextSlots(schedule, now, nextFires).map((slot) => localTime(slot, timezone)),
    rules: rules.join(" · "),
  };
}

/** A time in a zone with its day, such as `Mon 2026-11-23 08:00:00 GMT+9`. */
function localTime(at: Date, timezone: string): string {
  const weekday = new Intl.DateTimeFormat("en-US", { timeZone: timezone, weekday: "short" }).format(at);
  return `${weekday} ${formatTime(at, timezone)}`;
}

function isPackageFile(path: string): boolean {
  return path.split("/").includes("node_modules");
}

function ownFiles(version: VersionMaterial): Map<string, string> {
  const own = Object.entries(version.files).filter(([path]) => !isPackageFile(path));
  return new Map(
    own.map(([path, bytes]) => [visibleLine(path), visibleText(Buffer.from(bytes, "base64").toString("utf8"))]),
  );
}

/** Files whose bytes differ though they read the same, so that no change goes unsaid. */
function invisibleChanges(it: VersionMaterial, base: VersionMaterial | null): FileDiff[] {
  if (base === null) return [];
  const [old, current] = [ownFiles(base), ownFiles(it)];
  const paths = Object.keys(it.files).filter(
    (path) => !isPackageFile(path) && path in base.files && it.files[path] !== base.files[path],
  );
  return paths
    .map(visibleLine)
    .filter((path) => old.get(path) === current.get(path))
    .map((path) => ({ path, change: "changed", lines: ["@@ only line endings or bytes that are no text changed"] }));
}

function describePackages(it: VersionMaterial, base: VersionMaterial | null) {
  const was = new Map(
    base === null ? [] : packagesSchema.parse(JSON.parse(base.packages)).map((one) => [one.name, one.version]),
  );
  const is = packagesSchema.parse(JSON.parse(it.packages));
  const changeOf = (name: string, version: string) => {
    const old = was.get(name);
    if (base === null || old === version) return null;
    return old === undefined ? "new" : `was ${visibleLine(old)}`;
  };
  const edited =
    base === null
      ? []
      : Object.keys(it.files).filter(
          (path) => isPackageFile(path) && path in base.files && it.files[path] !== base.files[path],
        );
  return {
    packages: is.map(({ name, version, bytes }) => ({
      name: visibleLine(name),
      version: visibleLine(version),
      bytes,
      change: changeOf(name, version),
    })),
    packagesGone: [...was.keys()].filter((name) => !is.some((one) => one.name === name)).map(visibleLine),
    packagesEdited: edited.map(visibleLine),
  };
}
