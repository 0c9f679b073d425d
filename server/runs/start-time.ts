import { Cron } from "croner";
import { parseDuration } from "../duration.ts";
import { UserError } from "../errors.ts";
import { formatTime } from "../format-time.ts";
import type { StartTime } from "./control.ts";

const furthestMs = 366 * 86_400_000;
const wallTime = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)$/;
const examples = '"2026-12-01T08:00", or with a zone "2026-12-01T08:00Z"';

/**
 * When a run is to start that is asked for with a time (`at`) or a duration (`in`); undefined where it is neither. A time without a
 * zone is one of `timezone`. Throws `invalid_argument`.
 */
export function parseStartTime(
  { at, in: after }: Readonly<{ at?: string | undefined; in?: string | undefined }>,
  { timezone, now }: Readonly<{ timezone: string; now: Date }>,
): StartTime | undefined {
  if (at !== undefined && after !== undefined) throw wrong("Give either at or in, not both.");
  if (after !== undefined) {
    const inMs = parseDuration(after);
    if (inMs === undefined) throw wrong(`"${after.slice(0, 40)}" is no duration; write one such as "2h" or "3d".`);
    if (inMs > furthestMs) throw tooFar();
    return { inMs };
  }
  if (at === undefined) return undefined;
  const time = readTime(at.trim(), timezone);
  if (time === undefined) throw wrong(`"${at.slice(0, 40)}" is no time; write one such as ${examples}.`);
  if (time <= now) {
    throw wrong(`${formatTime(time, timezone)} has passed; it is ${formatTime(now, timezone)}.`);
  }
  if (time.getTime() - now.getTime() > furthestMs) throw tooFar();
  return { at: time };
}

function readTime(text: string, timezone: string): Date | undefined {
  const [, year, month, day, hour, minute, second = "00"] = wallTime.exec(text) ?? [];
  if (year !== undefined) {
    const wall = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
    // croner knows the zones, and takes the 30th of February for a day of March.
    if (!isReal(`${wall}Z`)) return undefined;
    return new Cron(wall, { timezone, paused: true }).nextRun(new Date(0)) ?? undefined;
  }
  const exact = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  return exact && isReal(text.replace(/(Z|[+-]\d{2}:\d{2})$/, "Z")) ? new Date(text) : undefined;
}

function isReal(utc: string): boolean {
  const time = new Date(utc);
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 16) === utc.slice(0, 16);
}

function tooFar(): UserError {
  return wrong("A run is asked for at most a year ahead: a schedule lasts longer.");
}

function wrong(message: string): UserError {
  return new UserError("invalid_argument", message);
}
