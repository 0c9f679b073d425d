import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import type { ModelChoice } from "../../config.ts";
import { secretsOf } from "../../definitions/mcp-server-manifest.ts";
import { ownFolder, type RoleManifest } from "../../definitions/role-manifest.ts";
import type { SecretValues } from "../../effects/secret-values.ts";
import { UserError } from "../../errors.ts";
import type { Row } from "../../store/tables.ts";
import { formatAgentId } from "../agent-id.ts";
import {
  effectiveLimits,
  jsonSchema,
  type Limits,
  limitsSchema,
  modelChoice,
  type Oracle,
  oracleSchema,
} from "../agent-order.ts";
import type { ServeDeps } from "../agents-deps.ts";
import { settleCutOff } from "../budget/settle-call.ts";
import type { Brief } from "../loop/brief.ts";
import { parseStep } from "../parse-step.ts";
import type { StartMessage } from "../process/protocol.ts";
import type { JsonSchema } from "../providers/types.ts";
import { readSteps } from "../read-agents.ts";
import { readStats } from "../routing/model-stats.ts";
import { rankModels } from "../routing/rank-models.ts";
import { isEnabled } from "../routing/usable-models.ts";
import type { WorkspaceContext } from "../workspace/define-workspace-tool.ts";
import { effectManifest } from "../workspace/effect-manifest.ts";
import { makeFolders } from "../workspace/make-folders.ts";
import { type AgentTools, agentTools } from "./agent-tools.ts";
import { composePrompt } from "./compose-prompt.ts";

/** All that working on an agent needs, verified and read. */
export type Prepared = Readonly<{
  start: StartMessage;
  manifest: RoleManifest;
  version: number;
  limits: Limits;
  tools: AgentTools;
  schema: JsonSchema | null;
  oracle: Oracle | null;
  workspace: Omit<WorkspaceContext, "signal" | "effects"> &
    Readonly<{ effects: Omit<WorkspaceContext["effects"], "seq" | "startedAt" | "signal"> }>;
}>;

const partialLimits = limitsSchema.partial();
const defaultTries = 2;
/** A result of a tool takes at most this share of the window. */
const resultShare = 0.25;
const charsPerToken = 3.6;

/**
 * Verifies an agent's role, skills and MCP servers, chooses its models, and reads what it has done so far. Throws UserError where
 * something that it needs is not approved or not there.
 */
export async function prepareAgent(deps: ServeDeps, agent: Row<"agents">): Promise<Prepared> {
  const { manifest, version } = await deps.requireSigned("role", agent.role);
  const limits = effectiveLimits(manifest.limits, partialLimits.parse(JSON.parse(agent.limits)));
  const skills = await Promise.all(manifest.skills.map((name) => deps.requireSigned("skill", name)));
  const mcp = await Promise.all(Object.entries(manifest.mcp).map((entry) => prepareServer(deps, entry)));
  const tools = agentTools(manifest, deps.tools);
  if (tools.unknown.length > 0)
    deps.log.warn({ agent: agent.id, tools: tools.unknown }, "a role names tools that are not there");
  const folder = await ownFolderOf(deps, agent, manifest);
  const schema = schemaOf(agent, manifest);
  const oracle = agent.oracle === null ? null : oracleSchema.parse(JSON.parse(agent.oracle));
  await settleCutOff(deps.store.db, agent.id);
  const steps = (await readSteps(deps.store.db, { agentId: agent.id })).map(parseStep);
  const brief: Brief = {
    agent: formatAgentId(agent.id),
    role: agent.role,
    system: composePrompt({
      role: agent.role,
      manifest,
      skills: new Map(skills.map(({ name, manifest: { description } }) => [name, description])),
      folder,
      schema,
      depthLeft: limits.depth,
    }),
    task: agent.prompt,
    models: await modelsOf(deps, agent, manifest, steps),
    tools: [...tools.offers],
    schema,
    judged: schema !== null || oracle !== null,
    triesPerModel: oracle?.attempts ?? defaultTries,
    limits,
    temperature: manifest.temperature,
    backoffMs: deps.backoffMs,
    steps,
  };
  return {
    start: {
      type: "start",
      brief,
      models: { agents: deps.config.agents, ollama: deps.config.ollama },
      mcp,
      folder: folder ?? deps.config.home.cache,
    },
    manifest,
    version,
    limits,
    tools,
    schema,
    oracle,
    workspace: {
      role: manifest,
      folder,
      skills: new Map(skills.map(({ name, files }) => [name, files])),
      runCommand: deps.runCommand,
      maxChars: Math.floor(limits.contextTokens * resultShare * charsPerToken),
      effects: {
        db: deps.store.db,
        job: `agent ${formatAgentId(agent.id)}`,
        runId: 0,
        attempt: agent.attempt,
        manifest: effectManifest(manifest, folder),
        seed: randomBytes(16).toString("hex"),
        traceId: agent.trace_id,
        secrets: noSecrets,
        services: { ...deps.services, ...(folder === null ? {} : { ownFolder: folder }) },
        clock: deps.clock,
        log: deps.log,
        progress: () => {},
      },
    },
  };
}

const noSecrets: SecretValues = { get: () => undefined, names: () => [] };

async function prepareServer(
  { requireSigned, secrets }: ServeDeps,
  [name, tools]: readonly [string, readonly string[]],
): Promise<StartMessage["mcp"][number]> {
  const { manifest } = await requireSigned("mcp_server", name);
  const values = secrets();
  const needed = secretsOf(manifest).map((secret) => {
    const value = values.get(secret);
    if (value !== undefined) return [secret, value] as const;
    throw new UserError(
      "secret_not_found",
      `The MCP server "${name}" needs the secret ${secret}, which has no value.`,
      {
        next: `jr secrets set ${secret}`,
      },
    );
  });
  return { name, manifest, tools: [...tools], secrets: Object.fromEntries(needed) };
}

/** The folder that was ordered, or one of its own below the home folder where its role wants one. */
async function ownFolderOf(
  { config }: ServeDeps,
  agent: Row<"agents">,
  { permissions: { files } }: RoleManifest,
): Promise<string | null> {
  const wanted = [...files.read, ...files.write].includes(ownFolder);
  if (!wanted) return null;
  const folder = agent.folder ?? join(config.home.agents, formatAgentId(agent.id));
  await makeFolders(folder, folder);
  return folder;
}

function schemaOf({ schema }: Row<"agents">, { answer }: RoleManifest): JsonSchema | null {
  if (schema === null) return answer;
  return jsonSchema.nullable().parse(JSON.parse(schema));
}

const modelChoices = z.array(modelChoice);

/** Those that were ordered, as they stand; else the role's, the best first. One that has begun keeps the model that it is at. */
async function modelsOf(
  { store, config: { agents } }: ServeDeps,
  agent: Row<"agents">,
  { models }: RoleManifest,
  steps: Brief["steps"],
): Promise<Brief["models"]> {
  const ordered = agent.models === null ? null : modelChoices.parse(JSON.parse(agent.models));
  const candidates = ordered ?? (models.length > 0 ? models : agents.models);
  const usable = candidates.filter((choice) => isEnabled(choice, agents.cloud));
  if (usable.length === 0) {
    const names = [...new Set(candidates.map(({ provider }) => provider))].join(", ");
    throw new UserError(
      "provider_missing",
      `None of the models that it may ask can be used: ${names} is not enabled.`,
      {
        next: `set agents.cloud.${candidates[0]?.provider ?? "claude"}.enabled: true in config.yaml, or name a model of ollama`,
      },
    );
  }
  if (ordered !== null) return usable.map((choice) => ({ ...choice }));
  const ranked = rankModels(usable, await readStats(store.db, { role: agent.role }), agent).map(({ choice }) => ({
    ...choice,
  }));
  // What was learnt meanwhile changes the order; the conversation knows its models by their places.
  const begun = steps.flatMap((step) => (step.kind === "model" ? [step.request] : []));
  const used = ranked.filter((choice) => begun.some((request) => isSame(request, choice)));
  const inOrder = used.toSorted((a, b) => placeOf(begun, a) - placeOf(begun, b));
  return [...inOrder, ...ranked.filter((choice) => !used.includes(choice))];
}

function placeOf(begun: readonly ModelChoice[], choice: ModelChoice): number {
  return begun.findIndex((request) => isSame(request, choice));
}

function isSame(a: ModelChoice, b: ModelChoice): boolean {
  return a.provider === b.provider && a.model === b.model;
}
