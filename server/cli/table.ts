import type { Command } from "commander";
import type { CliContext } from "./context.ts";

type Module = { command(context: CliContext): Command };
type Entry = Readonly<{ name: string; group: string; summary: string; load(): Promise<Module> }>;

const daemon = "JobRunner itself";
const jobs = "Jobs";
const decisions = "Your decisions";
const runs = "Runs";
const plans = "Tasks and plans";
const agents = "Agents";
const hosts = "Hosts and settings";

/** Every command, in the order of the help. Each file is loaded only when its command is called. */
export const commands: readonly Entry[] = [
  { group: daemon, name: "up", summary: "start here and show what happens", load: () => import("./up.ts") },
  { group: daemon, name: "start", summary: "start in the background", load: () => import("./start.ts") },
  { group: daemon, name: "stop", summary: "stop; runs end or go back into the queue", load: () => import("./stop.ts") },
  { group: daemon, name: "restart", summary: "stop and start again", load: () => import("./restart.ts") },
  { group: daemon, name: "status", summary: "what runs, what waits for you", load: () => import("./status.ts") },
  { group: daemon, name: "metrics", summary: "how much, how fast, how late", load: () => import("./metrics.ts") },
  { group: daemon, name: "doctor", summary: "check everything and say what to do", load: () => import("./doctor.ts") },
  { group: daemon, name: "backup", summary: "write everything into one file", load: () => import("./backup.ts") },
  { group: daemon, name: "restore", summary: "put a backup in place", load: () => import("./restore.ts") },
  {
    group: daemon,
    name: "migrate-store",
    summary: "move to PostgreSQL, or back",
    load: () => import("./migrate-store.ts"),
  },
  { group: daemon, name: "service", summary: "start with the machine", load: () => import("./service.ts") },
  { group: daemon, name: "worker", summary: "execute runs on this machine too", load: () => import("./worker.ts") },
  { group: daemon, name: "workers", summary: "which machines execute runs", load: () => import("./workers.ts") },
  { group: daemon, name: "daemon", summary: "run the daemon in the foreground", load: () => import("./daemon.ts") },

  { group: decisions, name: "setup", summary: "make your signing key", load: () => import("./setup.ts") },
  { group: decisions, name: "review", summary: "read what a job would do", load: () => import("./review.ts") },
  { group: decisions, name: "approve", summary: "read a version and sign it", load: () => import("./approve.ts") },
  { group: decisions, name: "reject", summary: "refuse a version, with a note", load: () => import("./reject.ts") },
  {
    group: decisions,
    name: "activate",
    summary: "go back to an approved version",
    load: () => import("./activate.ts"),
  },
  { group: decisions, name: "revoke", summary: "take an approval back", load: () => import("./revoke.ts") },
  { group: decisions, name: "resume", summary: "lift a pause", load: () => import("./resume.ts") },
  { group: decisions, name: "keys", summary: "whose signatures count", load: () => import("./keys.ts") },
  { group: decisions, name: "audit", summary: "who did or tried what", load: () => import("./audit.ts") },
  { group: decisions, name: "secrets", summary: "values that jobs may use", load: () => import("./secrets.ts") },

  { group: jobs, name: "jobs", summary: "list the jobs", load: () => import("./jobs.ts") },
  { group: jobs, name: "job", summary: "show one job", load: () => import("./job.ts") },
  { group: jobs, name: "submit", summary: "submit a file as a new version", load: () => import("./submit.ts") },
  { group: jobs, name: "diff", summary: "what changed between versions", load: () => import("./diff.ts") },
  { group: jobs, name: "next", summary: "what runs when", load: () => import("./next.ts") },
  { group: jobs, name: "plan", summary: "what a job would do; nothing happens", load: () => import("./plan.ts") },
  { group: jobs, name: "pause", summary: "stop a job's schedule", load: () => import("./pause.ts") },
  { group: jobs, name: "retire", summary: "end a job, keeping its history", load: () => import("./retire.ts") },
  { group: jobs, name: "webhook", summary: "the address that starts a job", load: () => import("./webhook.ts") },
  { group: jobs, name: "template", summary: "start a job from a template", load: () => import("./template.ts") },

  { group: runs, name: "run", summary: "run a job now", load: () => import("./run.ts") },
  { group: runs, name: "runs", summary: "list runs", load: () => import("./runs.ts") },
  { group: runs, name: "show", summary: "show one run", load: () => import("./show.ts") },
  { group: runs, name: "log", summary: "a run's log", load: () => import("./log.ts") },
  { group: runs, name: "replay", summary: "do a run again, offline", load: () => import("./replay.ts") },
  { group: runs, name: "answer", summary: "answer what a run asks", load: () => import("./answer.ts") },
  { group: runs, name: "dead", summary: "runs that failed for good", load: () => import("./dead.ts") },
  { group: runs, name: "redrive", summary: "run failed runs once more", load: () => import("./redrive.ts") },
  { group: runs, name: "dismiss", summary: "forget failed runs", load: () => import("./dismiss.ts") },
  { group: runs, name: "archive", summary: "runs that were deleted but kept", load: () => import("./archive.ts") },
  { group: runs, name: "cancel", summary: "cancel a run", load: () => import("./cancel.ts") },

  { group: plans, name: "task", summary: "what is to be done, by agents and you", load: () => import("./task.ts") },
  {
    group: plans,
    name: "plan-run",
    summary: "turn a goal into a plan and run it",
    load: () => import("./plan-run.ts"),
  },
  { group: plans, name: "plans", summary: "list and steer plans", load: () => import("./plans.ts") },
  { group: plans, name: "plan-show", summary: "a plan's report and results", load: () => import("./plan-show.ts") },
  { group: agents, name: "agent", summary: "models at work on tasks", load: () => import("./agent.ts") },
  { group: agents, name: "role", summary: "who agents can be", load: () => import("./role.ts") },
  { group: agents, name: "skill", summary: "what agents can read", load: () => import("./skill.ts") },
  { group: agents, name: "mcp-server", summary: "whose tools agents can use", load: () => import("./mcp-server.ts") },
  { group: agents, name: "command", summary: "what agents and plans can run", load: () => import("./command.ts") },

  { group: hosts, name: "connect", summary: "connect a host", load: () => import("./connect.ts") },
  { group: hosts, name: "notify", summary: "send a message, to try a target", load: () => import("./notify.ts") },
  { group: hosts, name: "config", summary: "show the settings", load: () => import("./config.ts") },
];
