import { existsSync, writeFileSync } from "node:fs";
import type { z } from "zod";
import { configFile, machineTimezone } from "./config-schema.ts";
import { formatDuration } from "./duration.ts";
import type { Home } from "./home.ts";

/** Writes `config.yaml` with every default as a comment, where there is none yet. */
export function ensureConfigFile(home: Home): void {
  if (!existsSync(home.config)) writeFileSync(home.config, defaultConfigText(), { mode: 0o600 });
}

function cloudLines(cloud: z.infer<typeof configFile>["agents"]["cloud"]): string {
  return Object.entries(cloud)
    .map(([name, { enabled, command, model, env, usdPerMillion, timeout }]) =>
      [
        `#     ${name}:`,
        `#       enabled: ${enabled}`,
        `#       command: ${command}`,
        `#       model: ${model}`,
        `#       env: ${JSON.stringify(env)}`,
        `#       usdPerMillion: ${usdPerMillion}`,
        `#       timeout: ${formatDuration(timeout)}`,
      ].join("\n"),
    )
    .join("\n");
}

/** Every setting with its default, commented out, and what it means. */
export function defaultConfigText(): string {
  const file = configFile.parse({});
  const { locale, http, log, runners, retention, ollama, agents, notify, alerts, plans } = file;
  return `# JobRunner's settings. What is commented out is the default. They count from the next start: jr restart

# Folder of the jobs, one TypeScript file (or folder) each. Also: JOBRUNNER_JOBS.
# jobs: ~/automations

# For jobs that name no time zone or locale of their own. The first is this machine's.
# timezone: ${machineTimezone()}
# locale: ${locale}

# Without a url, data stay in this folder. With one, in PostgreSQL 15 or newer, which several machines can share.
# Also: DATABASE_URL.
# store:
#   url: postgres://jobrunner:password@db.example.org:5432/jobrunner

# The door of your own commands and of MCP over HTTP. If the port is taken, a free one is used. Also:
# JOBRUNNER_HOST, JOBRUNNER_PORT.
# http:
#   enabled: ${http.enabled}
#   host: ${http.host}
#   port: ${http.port}

# logs/daemon.log, as JSON lines. Levels: debug, info, warn, error. Also: JOBRUNNER_LOG_LEVEL.
# log:
#   level: ${log.level}
#   fileMb: ${log.fileMb}
#   files: ${log.files}

# How many runs go on at once, and how many runner processes wait ready (about 50 MB each).
# runners:
#   max: ${runners.max}
#   warm: ${runners.warm}

# What jobs may ask for with runsOn, where several machines share their runs. The machine's name, its system (linux,
# darwin, windows) and its processor (x64, arm64) are labels by themselves. Also: JOBRUNNER_LABELS.
# labels: [gpu, office]

# Finished runs with their logs are deleted after so many days, and beyond so many per job; with archive: true they are
# kept as files in the folder archive.
# retention:
#   days: ${retention.days}
#   runsPerJob: ${retention.runsPerJob}
#   archive: ${retention.archive}

# The server of local models, how long it keeps one in memory afterwards, and how many answers it works on at once.
# Also: OLLAMA_HOST.
# ollama:
#   url: ${ollama.url}
#   keepAlive: ${ollama.keepAlive}
#   concurrency: ${ollama.concurrency}

# Agents: how many work at once, and their models, in the order in which they are tried. Cloud models are the programs that
# you have logged in to: claude, gemini, codex. They cost money and see what the agent sees; none is used until enabled
# here. A null model is the program's own choice; usdPerMillion is for codex and gemini, which tell no price. The budget
# counts for all cloud models in 24 hours; null is no limit. docs/providers.md says more.
# agents:
#   max: ${agents.max}
#   models: [${agents.models.map(({ provider, model }) => `{ provider: ${provider}, model: ${model} }`).join(", ")}]
#   cloud:
${cloudLines(agents.cloud)}
#   budget:
#     usdPerDay: ${agents.budget.usdPerDay}
#     tokensPerDay: ${agents.budget.tokensPerDay}

# Folders with skills (a folder with a SKILL.md each) besides those of this home. Each is used once you have signed it:
# jr approve skill:NAME
# skills:
#   paths: [~/skills]

# Where jobs may send messages that you granted them. Kinds: desktop, webhook, slack, discord, ntfy; all but the first
# have a url, which jobs and agents never see. Try one: jr notify desktop "it works"
# notify:
#   default: ${notify.default}
#   targets:
#     desktop:
#       kind: desktop

# Which of these targets alerts go to (none: []; notify.default otherwise). While something lasts it is told again at
# most every so often, then after twice that pause, and so on up to a day; its end is told once.
# alerts:
#   targets: [${notify.default}]
#   every: ${formatDuration(alerts.every)}
#   recovery: ${alerts.recovery}
# A job that fails is also a task for your agents, which its recovery closes.
#   tasks: ${alerts.tasks}

# GitHub issues that are tasks, too. token names a secret: jr secrets set GITHUB_TOKEN. direction: both, pull (issues become
# tasks) or push. With labels, only issues with all of them become tasks, and tasks with all of them become issues.
# tasks:
#   github:
#     - repo: owner/name
#       token: GITHUB_TOKEN
#       direction: both
#       labels: [agents]
#       every: 1m
#       url: https://api.github.com   # of an Enterprise server: https://HOST/api/v3

# What one plan may use at most; whoever starts it may ask for less. parallel: nodes at work at the same time; depth: how
# deep agents may start agents; wall: time at work, without what waits for people; attempts: tries of a node that failed
# by chance.
# plans:
#   nodes: ${plans.nodes}
#   parallel: ${plans.parallel}
#   agents: ${plans.agents}
#   depth: ${plans.depth}
#   tokens: ${plans.tokens}
#   usd: ${plans.usd}
#   wall: ${formatDuration(plans.wall)}
#   attempts: ${plans.attempts}
`;
}
