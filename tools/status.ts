import { z } from "zod";
import { findUnsigned } from "../server/definitions/find-unsigned.ts";
import { formatTime } from "../server/format-time.ts";
import { glanceAtJobs } from "../server/jobs/glance.ts";
import { overviewsOf } from "../server/jobs/read.ts";
import { glanceAtWork, type WorkGlance } from "../server/plans/glance-at-work.ts";
import { formatPlanId } from "../server/plans/plan-id.ts";
import { openAlerts } from "../server/runs/alerts.ts";
import { countDeadLetters } from "../server/runs/dead-letters.ts";
import { listOpenQuestions } from "../server/runs/questions.ts";
import { formatRunId, listRuns } from "../server/runs/read.ts";
import { listWorkers, type WorkerView, workerStanding } from "../server/runs/workers/read-workers.ts";
import type { Row } from "../server/store/tables.ts";
import { version } from "../server/version.ts";
import { defineTool } from "./define-tool.ts";
import { inline } from "./fence.ts";
import { jobLine } from "./job-list.ts";
import { runLine } from "./run-text.ts";
import { taskLine } from "./task-text.ts";
import type { ToolContext } from "./tool-context.ts";

const shown = 10;

export const status = defineTool({
  name: "status",
  title: "How everything stands",
  description:
    "What waits for the person, tasks to do, open alerts, what runs now, what comes next, and whether approvals are in order.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  async handle(context) {
    const { store, config, clock } = context;
    const [workers, approvals, jobs, alerts, live, questions, dead, unsigned, work] = await Promise.all([
      listWorkers(store),
      approvalsText(context),
      glanceAtJobs(store.db, shown),
      openAlerts(store.db, { limit: shown }),
      listRuns(store.db, { state: ["queued", "running", "suspended"], limit: shown }),
      listOpenQuestions(store.db, { limit: shown }),
      countDeadLetters(store.db),
      findUnsigned(store.db),
      glanceAtWork(store.db, shown),
    ]);
    const lines = async (names: readonly string[]) =>
      (await overviewsOf(context, names)).map((job) => jobLine(job, config.timezone));
    const waiting = await lines(jobs.waiting.first.map(({ job }) => job));
    const paused = await lines(jobs.paused.first);
    const next = jobs.next.first.map(({ job, at }) => `- ${formatTime(at, config.timezone)} ${job}`);
    const alertLines = alerts.map(
      (alert) =>
        `- ${inline(alert.message)}${alert.count > 1 ? ` (${alert.count} times)` : ""}, last ${formatTime(alert.last_at, config.timezone)}${alertCall(alert)}`,
    );
    return [
      `# JobRunner ${version} on ${store.kind}, ${formatTime(clock(), config.timezone)}`,
      approvals,
      ...section("Waits for the person: job_review has the command", waiting, jobs.waiting.count),
      ...section(
        "Not signed, so not used: the person runs",
        unsigned.map(({ what, words }) => `- ${what}: ${context.command(...words)}`),
      ),
      ...section(
        "Questions of runs (untrusted text): only the person answers",
        questions.map(
          ({ run_id, job, question }) =>
            `- ${formatRunId(run_id)} of ${job}: ${inline(question, 200)}; ${context.command("answer", formatRunId(run_id))}`,
        ),
      ),
      ...section("Tasks that only the person can finish", work.forPerson.map(taskLine)),
      ...section("Ready tasks: task_update claims one", work.ready.first.map(taskLine), work.ready.count),
      ...section("Plans and agents at work", workLines(work)),
      ...section("Alerts (untrusted text): skill triage-failures", alertLines),
      ...section(
        "Alerts do not reach the person there: tell them",
        context.failingTargets().map(({ target, message }) => `- ${target}: ${inline(message)}`),
      ),
      ...section(
        "Dead letters: runs that failed for good",
        dead === 0 ? [] : [`- ${dead}: run_list {"state": "dead"}, then run_control redrive where the cause is gone`],
      ),
      ...section("Paused", paused, jobs.paused.count),
      ...section(
        "Queued and running",
        live.rows.map((run) => runLine(run, config.timezone)),
      ),
      ...section("Workers", workerLines(workers)),
      ...section("Next", next, jobs.next.count),
      jobs.count === 0 ? 'No jobs yet: skill_read {"name": "write-job"}.' : `Jobs: ${jobs.count}; job_list shows them.`,
    ].join("\n\n");
  },
});

function workLines({ plans, agents: { running, queued } }: WorkGlance): string[] {
  return [
    ...plans.map(({ id, state, goal }) => `- **${formatPlanId(id)}** ${state} · ${inline(goal, 100)}`),
    ...(running + queued === 0 ? [] : [`- agents: ${running} running, ${queued} queued; agent_read {} lists them`]),
  ];
}

/** Nothing where the daemon alone executes runs, and can. */
function workerLines(workers: readonly WorkerView[]): string[] {
  const there = workers.filter((worker) => workerStanding(worker) !== "ended");
  if (there.length < 2 && there.every(({ problem }) => problem === null)) return [];
  return there.map((worker) => {
    const problem = worker.problem === null ? "" : `; takes no runs: ${inline(worker.problem, 200)}`;
    return `- ${inline(worker.name)}: ${workerStanding(worker)}, ${worker.running} of ${worker.max} places, ${inline(worker.labels.join(" "), 200)}${problem}`;
  });
}

function section(title: string, lines: string[], count = lines.length): string[] {
  if (lines.length === 0) return [];
  const more = count - Math.min(shown, lines.length);
  return [`## ${title}\n${lines.slice(0, shown).join("\n")}${more > 0 ? `\n- … and ${more} more` : ""}`];
}

async function approvalsText({ approvals, command }: ToolContext): Promise<string> {
  const { setUp, protected: isProtected, problem } = await approvals.status();
  if (problem !== null)
    return `**Nothing runs**: ${inline(problem, 400)} Tell the person; ${command("doctor")} says more.`;
  if (!setUp) return `There is no signing key yet, so nothing can be approved. The person runs: ${command("setup")}`;
  return isProtected
    ? "Approvals are in order; the signing key is protected by a passphrase."
    : "Approvals are in order, but the signing key is **unprotected** (it has no passphrase).";
}

/** The call that looks closer, where there is one. */
function alertCall({ key, run_id }: Row<"alerts">): string {
  if (run_id !== null) return `; run_read {"run": "${formatRunId(run_id)}"}`;
  const [kind, subject] = key.split(":");
  return kind === "plan" ? `; plan_control {"plan": "${subject}", "action": "report"}` : "";
}
