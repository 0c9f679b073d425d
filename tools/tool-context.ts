import type { AgentCaller } from "../server/agents/agent-caller.ts";
import type { Config } from "../server/config.ts";
import type { JobsDeps } from "../server/jobs/jobs-deps.ts";
import type { Log } from "../server/log.ts";
import type { FailingTarget } from "../server/runs/alerts/failing-targets.ts";

/** Which host program speaks, from MCP's `initialize`. */
export type HostClient = Readonly<{ name: string; version: string }>;

/** What every call shares: made once by the daemon when its store is open. `config`, `store`, `approvals` … come from JobsDeps. */
export type SharedContext = JobsDeps &
  Readonly<{
    config: Config;
    /** Tells the worker and the scheduler that the database has changed. */
    nudge: () => void;
    /** Targets that take no alerts, and why. */
    failingTargets: () => readonly FailingTarget[];
    /** Secrets that have a value. */
    secretNames: () => readonly string[];
    /** A command for the person, shell-quoted, that works as pasted from any folder. */
    command: (...args: string[]) => string;
    /** Set where an agent of ours calls, with what its signed role lets it start. */
    agent?: AgentCaller | undefined;
  }>;

/** What one call gets. `signal` aborts when the host cancels the call or goes away. */
export type ToolContext = SharedContext &
  Readonly<{
    client: HostClient;
    traceId: string;
    signal: AbortSignal;
    log: Log;
  }>;

/** The host as it is recorded on versions, runs and events, such as `claude-code 2.1.0`. */
export function hostLabel(client: HostClient): string {
  const label = `${client.name} ${client.version}`.replace(/[^\x20-\x7e]+/g, " ").trim();
  return label.slice(0, 80) || "unnamed host";
}
