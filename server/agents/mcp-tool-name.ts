/** The name under which an agent sees a tool of an MCP server. Models take letters, digits, `_` and `-` alone. */
export function mcpToolName(server: string, tool: string): string {
  return `${server}__${tool}`.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 64);
}
