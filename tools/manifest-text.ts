import { formatTime } from "../server/format-time.ts";
import { limitsText } from "../server/jobs/limits-text.ts";
import type { Manifest } from "../server/jobs/manifest.ts";
import { nextSlots, scheduleInWords } from "../server/jobs/schedule-words.ts";
import { netGrantText } from "../server/review/widened.ts";
import { inline } from "./fence.ts";

const shownSlots = 3;

/** What a manifest declares, as a list: schedule in words, next slots in its own zone, permissions, limits. */
export function manifestText(manifest: Manifest, now: Date): string {
  const { schedules, permissions, input } = manifest;
  const secrets = Object.entries(permissions.secrets);
  return [
    ...(schedules.length === 0
      ? ["- schedule: none; it runs by request only"]
      : schedules.map((each) => scheduleLine(each, now))),
    `- may fetch from: ${permissions.net.map((grant) => inline(netGrantText(grant))).join(", ") || "nowhere"}`,
    `- secrets: ${secrets.map(([name, hosts]) => `${name} (sent to ${hosts.map((host) => inline(host)).join(", ")})`).join(", ") || "none"}`,
    `- limits: ${limitsText(manifest)}`,
    ...(input === null ? [] : [`- input schema: ${inline(JSON.stringify(input), 1_000)}`]),
  ].join("\n");
}

function scheduleLine(schedule: Manifest["schedules"][number], now: Date): string {
  const next = nextSlots(schedule, now, shownSlots).map((slot) => formatTime(slot, schedule.timezone));
  return `- schedule ${inline(schedule.key)}: ${inline(scheduleInWords(schedule))} (\`${inline(schedule.cron)}\`, ${schedule.timezone}); next ${next.join(", ") || "never"}; catchUp ${schedule.catchUp}, overlap ${schedule.overlap}`;
}
