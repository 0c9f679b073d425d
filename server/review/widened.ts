import { limitWords } from "../jobs/limits-text.ts";
import { type FrozenSchedule, type Manifest, manifestSchema, type NetGrant } from "../jobs/manifest.ts";
import { nextSlots } from "../jobs/schedule-words.ts";
import { newPermissionLines } from "./permission-lines.ts";
import { widenedTriggers } from "./widened-triggers.ts";

/** How many coming slots of a schedule tell how often it fires. */
const sampleSlots = 25;
const dayMs = 86_400_000;

/**
 * What a manifest may do that the approved one before it may not, in words, gravest first. Against no manifest, every
 * permission that it asks for.
 */
export function widened(before: Manifest | undefined, after: Manifest, now: Date): string[] {
  return [
    ...newPowers(before, after, now),
    ...(before === undefined
      ? []
      : [...changedRate("more", before, after, now), ...changedLimits("raised", before, after)]),
  ];
}

/** What the approved manifest may do that the new one no longer may, in words. */
export function narrowed(before: Manifest | undefined, after: Manifest, now: Date): string[] {
  if (before === undefined) return [];
  return [
    ...newPowers(after, before, now).map((line) => `no longer: ${line}`),
    ...changedRate("less", before, after, now),
    ...changedLimits("lowered", before, after),
  ];
}

/** Powers that one has or has not; what is a matter of more or less stands apart. */
function newPowers(before: Manifest | undefined, after: Manifest, now: Date): string[] {
  return [
    ...newPermissionLines(before?.permissions, after.permissions),
    ...widenedUncertain(before?.onUncertain ?? "ask", after.onUncertain),
    ...(before === undefined ? [] : widenedCallers(before, after)),
    ...widenedTriggers(before, after),
    ...(before === undefined ? [] : widenedMachines(before, after)),
    ...widenedSchedule(before?.schedules ?? [], after.schedules, now),
  ];
}

/** A grant as the person reads it, such as `api.example.org:8443 (private network)`. */
export function netGrantText(grant: NetGrant): string {
  return `${hostOf(grant)}${grant.private ? " (private network)" : ""}`;
}

function hostOf({ host, port }: NetGrant): string {
  return port === null ? host : `${host}:${port}`;
}

function widenedUncertain(before: Manifest["onUncertain"], after: Manifest["onUncertain"]): string[] {
  if (after === before) return [];
  switch (after) {
    case "ask":
      return [];
    case "repeat":
      return ["CRASH: what a crash cut off is done again unasked, so a message or an order can go out twice"];
    case "skip":
      return ["CRASH: what a crash cut off is left out unasked, so a message or an order may never go out"];
    default:
      return after satisfies never;
  }
}

function widenedCallers(before: Manifest, after: Manifest): string[] {
  const more = after.callers.filter((kind) => !before.callers.includes(kind));
  return more.length === 0
    ? []
    : [`CALLERS: may be started by ${more.map((kind) => callerWords[kind]).join(", ")} too`];
}

const callerWords: Readonly<Record<Manifest["callers"][number], string>> = {
  schedule: "its schedule",
  person: "a person",
  host: "a host agent",
  job: "other jobs",
  agent: "agents",
};

/** A label that is dropped lets it run, and reach what lies there, on machines where it could not. */
function widenedMachines(before: Manifest, after: Manifest): string[] {
  const dropped = before.runsOn.filter((label) => !after.runsOn.includes(label));
  return dropped.length === 0 ? [] : [`MACHINES: may run on machines without the label ${dropped.join(" or ")}`];
}

function widenedSchedule(before: readonly FrozenSchedule[], after: readonly FrozenSchedule[], now: Date): string[] {
  const lines: string[] = [];
  if (before.length === 0 && after.length > 0)
    lines.push(`SCHEDULE: runs by itself, about ${rate(firesPerDay(after, now))}`);
  for (const schedule of after) {
    const old = before.find(({ key }) => key === schedule.key);
    if (old === undefined) continue;
    if (schedule.overlap === "allow" && old.overlap !== "allow") lines.push("SCHEDULE: runs may overlap");
    if (makesUpFor(schedule) > makesUpFor(old))
      lines.push(`SCHEDULE: makes up for up to ${makesUpFor(schedule)} missed slots instead of ${makesUpFor(old)}`);
  }
  return lines;
}

function changedRate(how: "more" | "less", before: Manifest, after: Manifest, now: Date): string[] {
  if (before.schedules.length === 0 || after.schedules.length === 0) return [];
  const was = firesPerDay(before.schedules, now);
  const is = firesPerDay(after.schedules, now);
  // A tenth of slack, since the sample of coming slots may hold a change of clocks.
  const changed = how === "more" ? is > was * 1.1 : was > is * 1.1;
  return changed ? [`SCHEDULE: runs ${how} often, about ${rate(is)} instead of ${rate(was)}`] : [];
}

function firesPerDay(schedules: readonly FrozenSchedule[], now: Date): number {
  return schedules.reduce((sum, schedule) => {
    const slots = nextSlots(schedule, now, sampleSlots);
    const first = slots.at(0);
    const last = slots.at(-1);
    if (first === undefined || last === undefined || last <= first) return sum;
    return sum + ((slots.length - 1) * dayMs) / (last.getTime() - first.getTime());
  }, 0);
}

function rate(perDay: number): string {
  if (perDay >= 0.95) return `${Math.round(perDay)} a day`;
  if (perDay * 7 >= 0.95) return `${Math.round(perDay * 7)} a week`;
  return `${Math.max(1, Math.round(perDay * 365))} a year`;
}

function makesUpFor({ catchUp, catchUpMax }: FrozenSchedule): number {
  switch (catchUp) {
    case "none":
      return 0;
    case "latest":
      return 1;
    case "all":
      return catchUpMax;
    default:
      return catchUp satisfies never;
  }
}

const limitNames: Readonly<Record<keyof Manifest["limits"], string>> = {
  timeoutMs: "time",
  cpuMs: "computing",
  memoryMb: "memory",
  logBytes: "log",
  effects: "effects",
  inFlight: "effects in flight",
  requestBytes: "request",
  responseBytes: "response",
  journalBytes: "journal",
  artifactBytes: "artifacts",
  runsPerHour: "runs",
};

const limitKeys = manifestSchema.shape.limits.keyof().options;

function changedLimits(how: "raised" | "lowered", before: Manifest, after: Manifest): string[] {
  const changed = (was: number, is: number) => (how === "raised" ? is > was : is < was);
  const line = (name: string, was: string, is: string) => `LIMIT: ${name} ${how} from ${was} to ${is}`;
  const lines = limitKeys
    .filter((key) => changed(before.limits[key], after.limits[key]))
    .map((key) => {
      const [was, is] = [limitWords[key](before.limits[key]), limitWords[key](after.limits[key])];
      // A little more can look the same when it is rounded.
      return was === is
        ? line(limitNames[key], `${before.limits[key]}`, `${after.limits[key]}`)
        : line(limitNames[key], was, is);
    });
  const [was, is] = [before.retry.attempts, after.retry.attempts];
  return changed(was, is) ? [...lines, line("tries", `${was}`, `${is} in all`)] : lines;
}
