import type { DefinitionKind } from "../store/tables.ts";
import { type CommandManifest, commandManifestSchema } from "./command-manifest.ts";
import { bodyOf } from "./definition-text.ts";
import { type McpServerManifest, mcpServerManifestSchema } from "./mcp-server-manifest.ts";
import { type RoleManifest, roleManifestSchema } from "./role-manifest.ts";
import { type SkillManifest, skillManifestSchema } from "./skill-manifest.ts";

/** What each kind of definition declares. */
export type Manifests = {
  role: RoleManifest;
  skill: SkillManifest;
  mcp_server: McpServerManifest;
  command: CommandManifest;
};

/** A signed version of a role, skill, MCP server or command, every byte verified a moment ago. */
export type Definition<K extends DefinitionKind = DefinitionKind> = Readonly<{
  kind: K;
  name: string;
  version: number;
  manifest: Manifests[K];
  /** Texts by path, the main file first. */
  files: ReadonlyMap<string, string>;
}>;

/** `compiler` and `runtime` of the signed text: what makes manifests of files, and what reads them. */
export const definitionCompiler = "definition 1";
export const definitionRuntime = "agents 1";

/** Reads the manifest of each kind; undefined where another release wrote it. */
export const manifestReaders: { [K in DefinitionKind]: (json: unknown) => Manifests[K] | undefined } = {
  role: (json) => roleManifestSchema.safeParse(json).data,
  skill: (json) => skillManifestSchema.safeParse(json).data,
  mcp_server: (json) => mcpServerManifestSchema.safeParse(json).data,
  command: (json) => commandManifestSchema.safeParse(json).data,
};

/**
 * The text that is used of a version, of which the bundle hash is made: a role's instructions, all texts of a skill, else the manifest.
 */
export function bundleOf(kind: DefinitionKind, manifest: string, files: ReadonlyMap<string, string>): string {
  switch (kind) {
    case "role":
      return bodyOf([...files.values()][0] ?? "");
    case "skill":
      return [...files].map(([path, text]) => `=== ${path}\n${text}`).join("\n");
    case "mcp_server":
    case "command":
      return manifest;
    default:
      return kind satisfies never;
  }
}

/**
 * Whether a manifest says of its files what they say themselves. People read the files, and agents get the manifest: one that says
 * something else is never used.
 */
export function saysTheSame(kind: DefinitionKind, manifest: string, files: ReadonlyMap<string, string>): boolean {
  switch (kind) {
    case "role":
      return manifestReaders.role(JSON.parse(manifest))?.instructions === bundleOf(kind, manifest, files);
    case "skill":
      return manifestReaders.skill(JSON.parse(manifest))?.files.join("\n") === [...files.keys()].join("\n");
    case "mcp_server":
    case "command":
      // The review is made of the manifest, and of nothing else.
      return true;
    default:
      return kind satisfies never;
  }
}
