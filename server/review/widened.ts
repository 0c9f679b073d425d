import type { FrozenSchedule, Manifest, NetGrant } from "../jobs/manifest.ts";
import { nextSlots } from "../jobs/schedule-words.ts";

/** How many coming slots of a schedule tell how often it fires. */
const sampleSlots = 25;
const dayMs = 86_400_000;

/**
 * What a manifest may do that the approved one before it may not, in words, gravest first. Against no manifest, every
 * permission that it asks for.
 */
export function widened(before: Manifest | undefined, after: Manifest, now: Date): string[] {
  return [
    ...widenedNet(before?.permissions.net ?? [], after.permissions.net),
    ...widenedSecrets(before?.permissions.secrets ?? {}, after.permissions.secrets),
    ...widenedSchedule(before?.schedules ?? [], after.schedules, now),
    ...(before === undefined ? [] : raised(before, after)),
  ];
}

/** What the approved manifest may do that the new one no longer may, in words. */
export function narrowed(before: Manifest | undefined, after: Manifest, now: Date): string[] {
  if (before === undefined) return [];
  return widened(after, before, now).map((line) => `no longer: ${line}`);
}

/** A grant as the person reads it, such as `api.example.org:8443 (private network)`. */
export function netGrantText(grant: NetGrant): string {
  return `${hostOf(grant)}${grant.private ? " (private network)" : ""}`;
}

function hostOf({ host, port }: NetGrant): string {
  return port === null ? host : `${host}:${port}`;
}

function widenedNet(before: readonly NetGrant[], after: readonly NetGrant[]): string[] {
  const known = new Map(before.map((grant) => [hostOf(grant), grant]));
  const isNewPrivate = (grant: NetGrant) => grant.private && known.get(hostOf(grant))?.private !== true;
  const reachesPrivate = after
    .filter(isNewPrivate)
    .map((grant) => `PRIVATE NETWORK: may reach ${hostOf(grant)} at private addresses`);
  const added = after
    .filter((grant) => !grant.private && !known.has(hostOf(grant)))
    .map((grant) => `HOST: may send to ${hostOf(grant)}`);
  return [...reachesPrivate, ...added];
}

function widenedSecrets(
  before: Manifest["permissions"]["secrets"],
  after: Manifest["permissions"]["secrets"],
): string[] {
  return Object.entries(after).flatMap(([name, hosts]) => {
    if (!Object.hasOwn(before, name)) return [`SECRET: may use ${name}, sent to ${hosts.join(", ") || "no host"}`];
    const more = hosts.filter((host) => !before[name]?.includes(host));
    return more.length === 0 ? [] : [`SECRET: ${name} is sent to ${more.join(", ")} too`];
  });
}

function widenedSchedule(before: readonly FrozenSchedule[], after: readonly FrozenSchedule[], now: Date): string[] {
  const was = firesPerDay(before, now);
  const is = firesPerDay(after, now);
  const lines: string[] = [];
  // A tenth of slack, since the sample of coming slots may hold a change of clocks.
  if (before.length > 0 && is > was * 1.1)
    lines.push(`SCHEDULE: runs more often, about ${rate(is)} instead of ${rate(was)}`);
  else if (before.length === 0 && after.length > 0) lines.push(`SCHEDULE: runs by itself, about ${rate(is)}`);
  for (const schedule of after) {
    const old = before.find(({ key }) => key === schedule.key);
    if (old === undefined) continue;
    if (schedule.overlap === "allow" && old.overlap !== "allow") lines.push("SCHEDULE: runs may overlap");
    if (makesUpFor(schedule) > makesUpFor(old))
      lines.push(`SCHEDULE: makes up for up to ${makesUpFor(schedule)} missed slots instead of ${makesUpFor(old)}`);
  }
  return lines;
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

function raised(before: Manifest, after: Manifest): string[] {
  const limits = [
    ["time", before.limits.timeoutMs, after.limits.timeoutMs, "ms"],
    ["memory", before.limits.memoryMb, after.limits.memoryMb, "MB"],
    ["log", before.limits.logBytes, after.limits.logBytes, "bytes"],
    ["effects", before.limits.effects, after.limits.effects, "a run"],
    ["response", before.limits.responseBytes, after.limits.responseBytes, "bytes"],
    ["tries", before.retry.attempts, after.retry.attempts, "in all"],
  ] as const;
  return limits
    .filter(([, was, is]) => is > was)
    .map(([name, was, is, unit]) => `LIMIT: ${name} raised from ${was} to ${is} ${unit}`);
}
