/*
 * Notes a number each day, and writes a report of the last weeks once a week, as an artifact of the run.
 *
 * Change: `url`, `read` (where the number is), the host in `permissions.net`, the schedule (daily), and `reportOn` (the day of the
 * report, 0 is Sunday). Asked for with {"report": true} it reports at once. Reports are shown by `jr show R12 --artifacts`.
 */
import { defineJob, z } from "jobrunner";

const url = "https://api.example.org/orders/yesterday";
const answer = z.object({ count: z.number() });
const read = (json: unknown) => answer.parse(json).count;
const keptDays = 366;

export default defineJob({
  description: "Notes the number of orders each day, and writes a report each Monday",
  schedule: { cron: "30 6 * * *", catchUp: "latest" },
  permissions: { net: ["api.example.org"] },
  limits: { timeout: "60s" },
  retry: { attempts: 5, delay: "1m" },
  input: z.object({ report: z.boolean().default(false), reportOn: z.int().min(0).max(6).default(1) }),

  async run({ input, kv, artifacts, log }) {
    const response = await fetch(url, { headers: { accept: "application/json" } });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const now = new Date();
    const today = dayOf(now);
    await kv.set(`day:${today}`, read(await response.json()));

    // The keys are dates, so their order is that of time.
    const { keys } = await kv.list({ prefix: "day:", limit: 1_000 });
    for (const key of keys.slice(0, -keptDays)) await kv.delete(key);
    if (!input.report && now.getDay() !== input.reportOn) return { noted: today, report: null };

    const days: { day: string; value: number }[] = [];
    for (const key of keys.slice(-28)) days.push({ day: key.slice(4), value: (await kv.get<number>(key)) ?? 0 });
    const week = sum(days.slice(-7));
    const before = sum(days.slice(-14, -7));
    const change = before === 0 ? "" : ` (${week >= before ? "+" : ""}${Math.round((week / before - 1) * 100)} %)`;
    const rows = days.map(({ day, value }) => `| ${day} | ${value} |`);
    const text = [
      `# Orders, week to ${today}`,
      "",
      `${week}${change}`,
      "",
      "| day | orders |",
      "| --- | ---: |",
      ...rows,
    ];
    const { name } = await artifacts.write(`report-${today}.md`, `${text.join("\n")}\n`, { type: "text/markdown" });
    log.info(`${name}: ${week} this week, ${before} the week before`);
    return { noted: today, report: name, week, before };
  },
});

/** In the job's own time zone, which is also that of its schedule. */
function dayOf(date: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function sum(days: readonly { value: number }[]): number {
  return days.reduce((total, { value }) => total + value, 0);
}
