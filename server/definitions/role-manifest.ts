import { z } from "zod";
import { providerName } from "../config-schema.ts";
import { netGrant } from "../jobs/manifest.ts";

/**
 * In `permissions.net`: any host with a public address. It stands alone.
 * @public
 */
export const anyHost = "*";

/**
 * In `permissions.files`: the agent's own folder (that of its plan, else one that is made for it). Whoever starts an agent cannot make
 * this be any folder of the machine.
 * @public
 */
export const ownFolder = ".";

/** What a version of a role declares, frozen: every default written out, paths absolute, lists sorted. It is hashed and signed. */
export const roleManifestSchema = z.strictObject({
  description: z.string().min(1).max(500),
  /** The text below the frontmatter: the agent's system prompt. Its hash is the version's bundle hash. */
  instructions: z.string().min(1),
  /** In the order in which they are tried; empty for `agents.models` of config.yaml. */
  models: z.array(z.strictObject({ provider: providerName, model: z.string().nullable() })),
  /** Names of skills that it may read; each is signed by itself. */
  skills: z.array(z.string()),
  /** MCP server to the tools of it that it may call; each server is signed by itself. */
  mcp: z.record(z.string(), z.array(z.string())),
  /** JobRunner's own tools and workspace tools. */
  tools: z.array(z.string()),
  permissions: z.strictObject({
    /** `anyHost` may stand for every public address. */
    net: z.array(netGrant),
    /** Absolute folders, or `ownFolder`. What may be written may be read too. */
    files: z.strictObject({ read: z.array(z.string()), write: z.array(z.string()) }),
    /** Names of commands; each is signed by itself. */
    commands: z.array(z.string()),
    /** Names of approved jobs that it may start. */
    jobs: z.array(z.string()),
  }),
  /** JSON Schema (draft 2020-12) of its answer; null for text. */
  answer: z.record(z.string(), z.json()).nullable(),
  temperature: z.number().min(0).max(2).nullable(),
  limits: z.strictObject({
    /** Model calls. */
    turns: z.int().positive(),
    toolCalls: z.int().nonnegative(),
    /** Read and written, of all its calls together. */
    tokens: z.int().positive(),
    /** Of cloud models, in US dollars. */
    usd: z.number().nonnegative(),
    timeoutMs: z.int().positive(),
    /** The window that its context is kept within. */
    contextTokens: z.int().positive(),
    /** Longest answer of one call. */
    outputTokens: z.int().positive(),
    /** How many levels of further agents it may start; 0 for none. */
    depth: z.int().nonnegative(),
  }),
});

export type RoleManifest = Readonly<z.infer<typeof roleManifestSchema>>;
