import { formatDuration } from "../duration.ts";
import { formatBytes } from "../jobs/source-limits.ts";
import { newPermissionLines } from "../review/permission-lines.ts";
import type { DefinitionKind } from "../store/tables.ts";
import type { CommandManifest } from "./command-manifest.ts";
import { manifestReaders } from "./definition.ts";
import { type McpServerManifest, secretsOf } from "./mcp-server-manifest.ts";
import { anyHost, ownFolder, type RoleManifest } from "./role-manifest.ts";
import type { SkillManifest } from "./skill-manifest.ts";

/** What a definition may do in a person's words, gravest first, and its limits as numbers that can be compared. */
export type DefinitionPowers = Readonly<{
  may: readonly string[];
  limits: readonly Readonly<{ name: string; value: number; text: string }>[];
}>;

type JobPermissions = Parameters<typeof newPermissionLines>[1];

const nothing: JobPermissions = {
  net: [],
  secrets: {},
  files: { read: [], write: [] },
  llm: [],
  notify: [],
  exec: [],
  run: [],
  tasks: null,
  agents: [],
};

/** The powers of a stored manifest; undefined where another release wrote it. */
export function definitionPowers(kind: DefinitionKind, manifest: string): DefinitionPowers | undefined {
  const json: unknown = JSON.parse(manifest);
  switch (kind) {
    case "role": {
      const role = manifestReaders.role(json);
      return role && { may: roleLines(role), limits: roleLimits(role) };
    }
    case "skill": {
      const skill = manifestReaders.skill(json);
      return skill && { may: skillLines(skill), limits: [] };
    }
    case "mcp_server": {
      const server = manifestReaders.mcp_server(json);
      return server && { may: serverLines(server), limits: [] };
    }
    case "command": {
      const command = manifestReaders.command(json);
      return command && { may: commandLines(command), limits: commandLimits(command) };
    }
    default:
      return kind satisfies never;
  }
}

const toolLine = /^TOOL(?<origin> of \S+)?: (?<tool>.*)$/;

/** The same lines with the tools of one origin in one, as people read them. By themselves they can be compared. */
export function inOneLine(lines: readonly string[]): string[] {
  const tools = lines.map((line) => toolLine.exec(line)?.groups);
  return lines.flatMap((line, index) => {
    const found = tools[index];
    if (found === undefined) return [line];
    const same = tools.filter((each) => each !== undefined && each.origin === found.origin);
    return same[0] === found ? [`TOOLS${found.origin ?? ""}: ${same.map((each) => each?.tool).join(", ")}`] : [];
  });
}

/** What may be done through tools that change something, in words. */
const toolWords: Readonly<Record<string, string>> = {
  job_submit: "JOBS: may propose jobs, which wait for your signature",
  job_control: "JOBS: may pause, resume and retire jobs as an agent can",
  run_control: "RUNS: may cancel and repeat runs",
  task_create: "TASKS: may write tasks",
  task_update: "TASKS: may claim, change and finish tasks",
  plan_create: "PLANS: may start plans",
  plan_control: "PLANS: may stop and resume plans",
};

function roleLines({ models, skills, mcp, tools, permissions, limits }: RoleManifest): string[] {
  const { net, files, commands, jobs } = permissions;
  const own = (access: "read" | "write") => files[access].includes(ownFolder);
  const outside = (folders: readonly string[]) => folders.filter((folder) => folder !== ownFolder);
  const granted = newPermissionLines(undefined, {
    ...nothing,
    net: net.filter(({ host }) => host !== anyHost),
    files: { read: outside(files.read), write: outside(files.write) },
    run: jobs,
  });
  return [
    ...(net.some(({ host }) => host === anyHost)
      ? ["ANY HOST: may fetch from, and so send what it knows to, every public address"]
      : []),
    ...commands.map((name) => `COMMAND: may run ${name}, where you have signed such a command`),
    ...granted,
    ...Object.entries(mcp).flatMap(([server, allowed]) => [
      `MCP SERVER: uses ${server}, once you have signed that`,
      ...allowed.map((tool) => `TOOL of ${server}: ${tool}`),
    ]),
    ...(tools.includes("agent_spawn") && limits.depth > 0 ? ["AGENTS: may start further agents"] : []),
    ...models
      .filter(({ provider }) => provider !== "ollama")
      .map(
        ({ provider, model }) =>
          `CLOUD MODEL: sends what it reads to ${provider}${model === null ? "" : ` (${model})`}`,
      ),
    ...models.flatMap(({ provider, model }) =>
      provider === "ollama" && model !== null && /[:-]cloud$/i.test(model)
        ? [`CLOUD MODEL: sends what it reads to ${model}, which does not run on this machine`]
        : [],
    ),
    ...tools.flatMap((tool) => toolWords[tool] ?? []),
    ...(own("write") ? ["FILES: may read, change and delete what is in its own working folder"] : []),
    ...(own("read") && !own("write") ? ["FILES: may read what is in its own working folder"] : []),
    ...skills.map((name) => `SKILL: reads ${name}, once you have signed that`),
    ...tools.map((tool) => `TOOL: ${tool}`),
    ...(models.length === 0 ? ["MODELS: those of agents.models in config.yaml"] : []),
    ...models.flatMap(({ provider, model }) =>
      provider === "ollama" ? [`MODEL: ${model ?? "Ollama's default"}`] : [],
    ),
  ];
}

function roleLimits({ limits }: RoleManifest): DefinitionPowers["limits"] {
  return [
    { name: "turns", value: limits.turns, text: `${limits.turns} model calls` },
    { name: "tool calls", value: limits.toolCalls, text: `${limits.toolCalls} tool calls` },
    { name: "tokens", value: limits.tokens, text: `${limits.tokens} tokens` },
    { name: "cost", value: limits.usd, text: `${limits.usd} USD of cloud models` },
    { name: "time", value: limits.timeoutMs, text: formatDuration(limits.timeoutMs) },
    { name: "context", value: limits.contextTokens, text: `${limits.contextTokens} tokens of context` },
    { name: "answer", value: limits.outputTokens, text: `${limits.outputTokens} tokens an answer` },
    {
      name: "depth",
      value: limits.depth,
      text:
        limits.depth === 0
          ? "no further agents"
          : `${limits.depth} level${limits.depth === 1 ? "" : "s"} of further agents`,
    },
  ];
}

function skillLines({ files, leftOut }: SkillManifest): string[] {
  return [
    `TEXT: agents read ${files.length === 1 ? "its SKILL.md" : `its ${files.length} files (${files.join(", ")})`} as instructions`,
    ...(leftOut.length === 0 ? [] : [`NOT PART OF IT: ${leftOut.join(", ")} (no text; nobody reads it)`]),
  ];
}

function serverLines(manifest: McpServerManifest): string[] {
  const secrets = secretsOf(manifest).map((name) => `SECRET: gets ${name}`);
  switch (manifest.transport) {
    case "stdio": {
      const { command, args, env } = manifest;
      const variables = Object.entries(env).map(([name, value]) => `VARIABLE: ${name}=${JSON.stringify(value)}`);
      return [...programLines({ command, args, cwd: null }), ...secrets, ...variables];
    }
    case "http": {
      const headers = Object.entries(manifest.headers).map(([name, value]) => `HEADER: ${name}: ${value}`);
      return [`SERVER: whatever roles call it with is sent to ${manifest.url}`, ...secrets, ...headers];
    }
    default:
      return manifest satisfies never;
  }
}

function commandLines({ program, args, cwd, env, secrets }: CommandManifest): string[] {
  return [
    ...programLines({ command: program, args, cwd }),
    ...(cwd === null ? ["FOLDER: starts in the working folder of the agent or plan"] : []),
    ...secrets.map((name) => `SECRET: gets ${name} as a variable`),
    ...env.map((name) => `VARIABLE: gets ${name} of the daemon's environment`),
  ];
}

function commandLimits({ timeoutMs, outputBytes }: CommandManifest): DefinitionPowers["limits"] {
  return [
    { name: "time", value: timeoutMs, text: formatDuration(timeoutMs) },
    { name: "output", value: outputBytes, text: `${formatBytes(outputBytes)} of output` },
  ];
}

function programLines(started: { command: string; args: readonly string[]; cwd: string | null }): string[] {
  const { command, args, cwd } = started;
  return newPermissionLines(undefined, {
    ...nothing,
    exec: [{ command, args: [...args], cwd, env: {}, repeatable: false }],
  });
}
