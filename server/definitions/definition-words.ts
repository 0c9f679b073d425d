import type { DefinitionKind } from "../store/tables.ts";

/** The command that lists each kind. */
export const listCommands = {
  role: "jr role list",
  skill: "jr skill list",
  mcp_server: "jr mcp-server list",
  command: "jr command list",
} as const;

/** A line that says what a definition is, of its manifest's JSON. */
export function describe(kind: DefinitionKind, manifest: string): string {
  const value: unknown = JSON.parse(manifest);
  if (typeof value !== "object" || value === null) return "";
  if ("description" in value && typeof value.description === "string") return value.description;
  if (kind !== "mcp_server") return "";
  if ("url" in value && typeof value.url === "string") return value.url;
  return "command" in value && typeof value.command === "string" ? value.command : "";
}
