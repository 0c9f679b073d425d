import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { z } from "zod";
import {
  type CloudName,
  configFile,
  databaseUrl,
  logLevel,
  machineTimezone,
  type NotifyTarget,
  type ProviderName,
  port,
  workerLabels,
} from "./config-schema.ts";
import { readConfigText } from "./config-text.ts";
import { messageOf, UserError } from "./errors.ts";
import { type Home, packageRoot, runsFromClone } from "./home.ts";
import { readOllamaHost } from "./ollama-host.ts";

/** A repository whose issues are tasks, too. */
export type GithubRepo = Readonly<{
  /** `owner/name`. */
  repo: string;
  /** The API's address. */
  url: string;
  /** Name of the secret that holds the token. */
  token: string;
  /** Which way changes go: both, from issues to tasks alone, or from tasks to issues alone. */
  direction: "both" | "pull" | "push";
  /** Issues with all of these become tasks, and tasks with all of these issues. Without any, every open issue does, and no task by itself. */
  labels: readonly string[];
  everyMs: number;
}>;

/** Every setting, resolved and frozen. */
export type Config = Readonly<{
  home: Home;
  /** Absolute. */
  jobsFolder: string;
  /** Of PostgreSQL; null means the embedded PGlite. */
  databaseUrl: string | null;
  log: Readonly<{ level: "debug" | "info" | "warn" | "error"; fileMb: number; files: number }>;
  http: Readonly<{ enabled: boolean; host: string; port: number }>;
  runners: Readonly<{ max: number; warm: number }>;
  /** What jobs may ask of a machine, besides its name, system and processor. */
  labels: readonly string[];
  retention: Readonly<{ days: number; runsPerJob: number; archive: boolean }>;
  /** The server of local models. */
  ollama: Readonly<{ url: string; keepAlive: string; concurrency: number }>;
  agents: AgentsConfig;
  /** Folders with further skills, absolute. */
  skills: Readonly<{ paths: readonly string[] }>;
  /** Where messages may go, by name. The default is one of them. */
  notify: Readonly<{ default: string; targets: Readonly<Record<string, NotifyTarget>> }>;
  /** Which of them alerts go to; the pause between messages of an alert that lasts, which doubles up to a day; whether its end is told; whether a failing job is a task, too. */
  alerts: Readonly<{ targets: readonly string[]; everyMs: number; recovery: boolean; tasks: boolean }>;
  /** Repositories whose issues are tasks, too. */
  tasks: Readonly<{ github: readonly GithubRepo[] }>;
  /** What one plan may use at most, whatever its author asks for; time is in `wallMs`. */
  plans: Readonly<{
    nodes: number;
    /** Nodes at work at the same time. */
    parallel: number;
    agents: number;
    /** How deep agents may start agents; 1 is the agent of a node. */
    depth: number;
    tokens: number;
    usd: number;
    wallMs: number;
    /** Tries of a node that fails by chance, unless it says otherwise. */
    attempts: number;
  }>;
  /** For jobs that name none. */
  timezone: string;
  locale: string;
}>;

/** One choice of a model; a null model leaves it to the provider. */
export type ModelChoice = Readonly<{ provider: ProviderName; model: string | null }>;

/** A host's own program that serves as a model. */
export type CloudConfig = Readonly<{
  enabled: boolean;
  command: string;
  model: string | null;
  env: Readonly<Record<string, string>>;
  usdPerMillion: Readonly<{ input: number; output: number }> | null;
  timeoutMs: number;
}>;

export type AgentsConfig = Readonly<{
  /** Agents at work at once. */
  max: number;
  /** For roles that name none, in the order in which they are tried. */
  models: readonly ModelChoice[];
  cloud: Readonly<Record<CloudName, CloudConfig>>;
  /** Most that cloud models may use in 24 hours. */
  budget: Readonly<{ usdPerDay: number | null; tokensPerDay: number | null }>;
}>;

/**
 * Reads `config.yaml` (which need not exist) and the environment, which wins. Throws `invalid_config` with the file, the
 * line, the key and what to write instead.
 */
export function loadConfig(home: Home, env: NodeJS.ProcessEnv = process.env): Config {
  const file = existsSync(home.config)
    ? readConfigText(readConfigFile(home.config), home.config)
    : configFile.parse({});
  return Object.freeze({
    home,
    jobsFolder: jobsFolder(home, env.JOBRUNNER_JOBS, file.jobs),
    databaseUrl: fromEnv(env, "DATABASE_URL", databaseUrl) ?? file.store.url,
    log: { ...file.log, level: fromEnv(env, "JOBRUNNER_LOG_LEVEL", logLevel) ?? file.log.level },
    http: { ...file.http, host: env.JOBRUNNER_HOST || file.http.host, port: portFromEnv(env) ?? file.http.port },
    runners: file.runners,
    labels: fromEnv(env, "JOBRUNNER_LABELS", workerLabels) ?? file.labels,
    retention: file.retention,
    ollama: { ...file.ollama, url: ollamaFromEnv(env) ?? file.ollama.url },
    agents: agentsOf(file.agents),
    skills: { paths: file.skills.paths.map((path) => resolve(home.root, withHome(path))) },
    notify: file.notify,
    alerts: {
      targets: [...new Set(file.alerts.targets ?? [file.notify.default])],
      everyMs: file.alerts.every,
      recovery: file.alerts.recovery,
      tasks: file.alerts.tasks,
    },
    tasks: { github: file.tasks.github.map(({ every, ...repo }) => ({ ...repo, everyMs: every })) },
    plans: plansOf(file.plans),
    // When it is asked for: Intl's first answer takes 25 ms, for which no host has to wait.
    get timezone() {
      return file.timezone ?? machineTimezone();
    },
    locale: file.locale,
  });
}

function agentsOf({ cloud, ...others }: z.infer<typeof configFile>["agents"]): AgentsConfig {
  const timed = ({ timeout, ...rest }: (typeof cloud)[CloudName]): CloudConfig => ({ ...rest, timeoutMs: timeout });
  return {
    ...others,
    cloud: { claude: timed(cloud.claude), gemini: timed(cloud.gemini), codex: timed(cloud.codex) },
  };
}

function plansOf({ wall, ...plans }: z.infer<typeof configFile>["plans"]): Config["plans"] {
  return { ...plans, wallMs: wall };
}

/** The environment, else the file, else a clone's own `jobs/`, else `jobs` in the home folder. A path in the file counts from the home folder. */
function jobsFolder(home: Home, fromEnvironment: string | undefined, fromFile: string | undefined): string {
  if (fromEnvironment) return resolve(withHome(fromEnvironment));
  if (fromFile !== undefined) return resolve(home.root, withHome(fromFile));
  return runsFromClone ? join(packageRoot, "jobs") : join(home.root, "jobs");
}

function withHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UserError("invalid_config", `Cannot read ${path}: ${messageOf(cause)}.`, {
      next: `make it readable, or move it away: a new one with the defaults is made at the next start`,
      cause,
    });
  }
}

function portFromEnv(env: NodeJS.ProcessEnv): number | undefined {
  const text = env.JOBRUNNER_PORT;
  return text ? check("JOBRUNNER_PORT", port, /^\d+$/.test(text) ? Number(text) : text) : undefined;
}

function ollamaFromEnv({ OLLAMA_HOST }: NodeJS.ProcessEnv): string | undefined {
  if (!OLLAMA_HOST) return undefined;
  const url = readOllamaHost(OLLAMA_HOST);
  if (url !== undefined) return url;
  throw new UserError("invalid_config", "The environment variable OLLAMA_HOST is no host, host:port or URL.", {
    next: "set OLLAMA_HOST right, or unset it",
  });
}

function fromEnv<T>(env: NodeJS.ProcessEnv, name: string, schema: z.ZodType<T>): T | undefined {
  return env[name] ? check(name, schema, env[name]) : undefined;
}

function check<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UserError(
    "invalid_config",
    `The environment variable ${name} is wrong: ${parsed.error.issues[0]?.message}.`,
    {
      next: `set ${name} right, or unset it`,
      cause: parsed.error,
    },
  );
}
