import type { DefinitionKind } from "../store/tables.ts";

const plain = /^[a-z][a-z0-9-]{0,62}$/;
/** Servers have the names that other hosts' files give them. */
const serverName = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
/** Names that the operating systems on which the folder may lie keep for devices, and those of folders with a meaning. */
const reserved = /^(con|prn|aux|nul|com[0-9]|lpt[0-9]|node-modules|templates)$/i;

/** Why a name cannot be a role's, skill's, server's or command's; undefined for a good one. */
export function findNameProblem(kind: DefinitionKind, name: string): string | undefined {
  if (reserved.test(name)) return `"${name}" is a reserved name`;
  if (kind === "mcp_server") {
    return serverName.test(name)
      ? undefined
      : `${shown(name)} cannot name an MCP server: letters, digits, dashes and _, a letter first, at most 63 characters`;
  }
  return plain.test(name)
    ? undefined
    : `${shown(name)} cannot name a ${kind}: lower-case letters, digits and dashes, a letter first, at most 63 characters`;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
