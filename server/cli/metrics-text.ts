import { formatMs, formatTime } from "../format-time.ts";
import type { CliContext } from "./context.ts";
import type { MetricsAnswer } from "./metrics-answer.ts";
import { painter } from "./paint.ts";
import { ownTimezone, tableText } from "./show-list.ts";

/** Most jobs in the table; JSON has more. */
const shownJobs = 30;

/** Figures for a person's eyes. */
export function metricsText(context: CliContext, { now, window, runners, process }: MetricsAnswer): string {
  const bold = (text: string) => painter(context)("bold", text);
  const { queue, jobs, workers } = now;
  const { lateness, slots } = window;
  const dead = now.dead.reduce((sum, { count }) => sum + count, 0);
  const tokens = (kind: "promptTokens" | "outputTokens") => window.effects.reduce((sum, each) => sum + each[kind], 0);
  const late = `p50 ${time(lateness.p50)}, p95 ${time(lateness.p95)}, p99 ${time(lateness.p99)}`;
  const { p99, max } = process.event_loop_seconds;
  const lines = [
    bold("Now"),
    `  queue    ${queue.due} due${now.oldest_due_seconds >= 1 ? ` (the oldest for ${time(now.oldest_due_seconds)})` : ""}, ${queue.waiting} waiting for their time, ${queue.paused} paused, ${queue.running} running, ${queue.suspended} suspended, ${queue.needs_decision} waiting for a decision`,
    `  jobs     ${jobs.active} active, ${jobs.paused} paused, ${jobs.retired} retired${now.schedule_behind_seconds >= 1 ? `; slots are due for ${time(now.schedule_behind_seconds)}` : ""}`,
    `  trouble  ${now.alerts_open} open ${now.alerts_open === 1 ? "alert" : "alerts"}, ${dead} dead ${dead === 1 ? "letter" : "letters"}`,
    `  workers  ${workers.active} active, ${workers.draining} draining, ${workers.lost} lost; ${workers.running} of ${workers.max} places taken; runners here ${runners.busy} busy, ${runners.idle} idle`,
    `  agents   ${now.agents.running} at work, ${now.agents.queued} waiting${spentText(now.models)}`,
    `  daemon   ${megabytes(process.memory_bytes)} of memory, event loop late by ${time(p99)} (p99), ${time(max)} at most since the last look`,
    `  store    ${megabytes(now.store_bytes)}`,
    "",
    bold(
      `Ended since ${formatTime(window.since, ownTimezone())} (${window.complete ? window.window : `the newest ${window.runs} runs`})`,
    ),
    `  runs     ${window.runs}, ${sum(window.jobs, "retries")} retries`,
    `  slots    ${lateness.runs} met${lateness.runs === 0 ? "" : `, late by ${late}`}; ${slots.skipped} skipped, ${slots.missed} missed`,
  ];
  if (tokens("promptTokens") + tokens("outputTokens") > 0) {
    lines.push(`  tokens   ${tokens("promptTokens")} in prompts, ${tokens("outputTokens")} in answers`);
  }
  if (window.jobs.length > 0)
    lines.push("", tableText(context, jobHeadings, window.jobs.slice(0, shownJobs).map(jobRow)));
  if (window.jobs.length > shownJobs) lines.push(`… and ${window.jobs.length - shownJobs} more jobs: --json`);
  if (window.effects.length > 0)
    lines.push("", tableText(context, ["EFFECT", "OK", "ERROR", "UNKNOWN"], effectRows(window)));
  if (!window.effectsComplete) lines.push("(of the newest runs; there were more effects than are counted)");
  return lines.join("\n");
}

function spentText(models: MetricsAnswer["now"]["models"]): string {
  if (models.length === 0) return "";
  const total = (key: "tokens_in" | "tokens_out" | "cost_microusd") => models.reduce((all, each) => all + each[key], 0);
  const usd = (total("cost_microusd") / 1e6).toFixed(2);
  return `; so far ${total("tokens_in")} tokens in prompts, ${total("tokens_out")} in answers, ${usd} USD (jr agent usage)`;
}

const jobHeadings = ["JOB", "RUNS", "OK", "FAILED", "CANCELLED", "RETRIES", "P50", "P95", "P99"];

function jobRow(job: MetricsAnswer["window"]["jobs"][number]): string[] {
  const failed = job.runs - job.succeeded - job.cancelled;
  return [
    job.job,
    ...[job.runs, job.succeeded, failed, job.cancelled, job.retries].map(String),
    ...[job.p50, job.p95, job.p99].map(time),
  ];
}

function effectRows({ effects }: MetricsAnswer["window"]): string[][] {
  const count = (op: string, outcome: string) =>
    String(effects.find((each) => each.op === op && each.outcome === outcome)?.count ?? 0);
  return [...new Set(effects.map(({ op }) => op))].map((op) => [
    op,
    count(op, "ok"),
    count(op, "error"),
    count(op, "unknown"),
  ]);
}

function sum(jobs: MetricsAnswer["window"]["jobs"], key: "retries"): number {
  return jobs.reduce((total, job) => total + job[key], 0);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}

function time(seconds: number | null): string {
  return seconds === null ? "-" : formatMs(seconds * 1_000);
}
