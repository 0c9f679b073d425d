import { Hono } from "hono";
import { findUnsigned } from "../../definitions/find-unsigned.ts";
import { glanceAtJobs } from "../../jobs/glance.ts";
import { personCommand } from "../../person-command.ts";
import { glanceAtWork } from "../../plans/glance-at-work.ts";
import { formatPlanId } from "../../plans/plan-id.ts";
import { alertCommand } from "../../runs/alerts/alert-command.ts";
import { openAlerts } from "../../runs/alerts.ts";
import { countDeadLetters } from "../../runs/dead-letters.ts";
import { listOpenQuestions } from "../../runs/questions.ts";
import { formatRunId, listRuns } from "../../runs/read.ts";
import { listWorkers } from "../../runs/workers/read-workers.ts";
import type { Row } from "../../store/tables.ts";
import { formatTaskId } from "../../tasks/task-id.ts";
import { version } from "../../version.ts";
import type { DaemonDeps } from "../deps.ts";
import { questionAnswer } from "./questions.ts";
import { workerAnswer } from "./workers.ts";

/** What only the running daemon knows. */
export type StatusSources = Readonly<{
  startedAt: Date;
  worker: () => { running: number; max: number; connected: boolean; trouble: string | null };
  /** Files of the jobs folder, and of roles, skills, MCP servers and commands, that failed their checks. */
  problems: () => ReadonlyMap<string, readonly { file: string; line: number; message: string }[]>;
}>;

type StatusDeps = Pick<DaemonDeps, "store" | "config" | "approvals" | "failingTargets"> &
  Readonly<{ pool: Pick<DaemonDeps["pool"], "stats"> }>;

const shownJobs = 100;

/** How everything stands, for `jr status`, `jr up` and the console. */
export function statusApi(deps: StatusDeps, sources: StatusSources): Hono {
  const { store, config, approvals, pool } = deps;
  return new Hono()
    .get("/api/status", async (c) => {
      const [workers, jobs, alerts, live, questions, deadLetters, standing, unsigned, work] = await Promise.all([
        listWorkers(store),
        glanceAtJobs(store.db, shownJobs),
        openAlerts(store.db, { limit: 20 }),
        listRuns(store.db, { state: ["queued", "running", "suspended"], limit: 50 }),
        listOpenQuestions(store.db, { limit: 20 }),
        countDeadLetters(store.db),
        approvals.status(),
        findUnsigned(store.db),
        glanceAtWork(store.db, 10),
      ]);
      const { keys, setUp, protected: isProtected, problem } = standing;
      const waiting = jobs.waiting.first.map(({ job, version }) => {
        return { job, version, command: personCommand(config.home, "approve", job) };
      });
      return c.json({
        version,
        pid: process.pid,
        started_at: sources.startedAt.toISOString(),
        home: config.home.root,
        jobs_folder: config.jobsFolder,
        store: { kind: store.kind, version: store.version },
        timezone: config.timezone,
        memory_mb: Math.round(process.memoryUsage.rss() / 1024 / 1024),
        approvals: { keys, set_up: setUp, protected: isProtected, problem },
        jobs: jobs.count,
        paused: jobs.paused.first,
        tasks: {
          ready: work.ready.count,
          for_you: work.forPerson.map(({ id, title }) => ({ task: formatTaskId(id), title })),
        },
        plans: work.plans.map(({ id, state, goal }) => ({ plan: formatPlanId(id), state, goal })),
        agents: work.agents,
        waiting,
        unsigned: unsigned.map(({ what, words, name }) => ({
          what,
          command: personCommand(config.home, ...words),
          name,
        })),
        questions: questions.map(questionAnswer),
        next: jobs.next.first.slice(0, 10).map(({ job, at }) => ({ job, at: at.toISOString() })),
        live: live.rows.map(activity),
        alerts: alerts.map((alert) => ({
          message: alert.message,
          count: alert.count,
          command: alertCommand(alert),
          last_at: alert.last_at.toISOString(),
        })),
        failing_targets: deps.failingTargets().map(({ target, since, message }) => ({
          target,
          since: since.toISOString(),
          message,
        })),
        dead: deadLetters,
        folder_problems: [...sources.problems().values()]
          .flat()
          .map(({ file, line, message }) => ({ file, line, message })),
        runners: { ...pool.stats(), max: config.runners.max },
        worker: sources.worker(),
        workers: workers.map(workerAnswer),
      });
    })
    .get("/api/activity", async (c) => {
      const { rows } = await listRuns(store.db, { limit: 50 });
      const { waiting } = await glanceAtJobs(store.db, shownJobs);
      return c.json({ runs: rows.map(activity), waiting: waiting.first });
    });
}

function activity(run: Row<"runs">) {
  return {
    id: run.id,
    run: formatRunId(run.id),
    job: run.job,
    version: run.version,
    attempt: run.attempt,
    state: run.state,
    trigger: run.trigger,
    started_at: run.started_at?.toISOString() ?? null,
    finished_at: run.finished_at?.toISOString() ?? null,
    error: run.error,
  };
}
