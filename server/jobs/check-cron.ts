import { messageOf } from "../errors.ts";
import { nextSlots } from "./schedule-words.ts";

export type CheckedCron = Readonly<{ ok: true; cron: string } | { ok: false; message: string; hint: string }>;

const cronHint =
  "five fields (minute hour day-of-month month day-of-week) or six with seconds first, such as 0 8 * * 1-5";

/** Whether a cron expression can be read and ever fires; `cron` is it with single spaces. `now` is where looking for slots starts. */
export function checkCron(written: string, now: Date): CheckedCron {
  const cron = written.trim().replace(/\s+/g, " ");
  if (cron.length > 200)
    return { ok: false, message: "the cron expression is longer than 200 characters", hint: cronHint };
  try {
    if (nextSlots({ cron, timezone: "UTC" }, now, 1).length > 0) return { ok: true, cron };
  } catch (thrown) {
    return {
      ok: false,
      message: `"${cron}" is no cron expression: ${messageOf(thrown).replace(/^Cron\w+: /, "")}`,
      hint: cronHint,
    };
  }
  return {
    ok: false,
    message: `"${cron}" never fires: no date fits it`,
    hint: "check day and month together (30 February, 31 April do not exist); L is the last day of a month",
  };
}

/** The zone in its usual spelling; undefined where no such zone is known. Offsets such as +09:00 are no zones. */
export function findTimezone(written: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(written)) return undefined;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: written }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
