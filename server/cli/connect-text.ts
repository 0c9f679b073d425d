import type { Home } from "../home.ts";
import { connectCommand } from "./connect.ts";

/** How each host is told of JobRunner, as lines to paste. */
export function connectLines(home: Home): string[] {
  return [
    `Claude Code   ${connectCommand(home, "claude")}`,
    `Gemini CLI    ${connectCommand(home, "gemini")}`,
    `others        ${JSON.stringify({ mcpServers: { jobrunner: { command: home.launcher, args: ["mcp"] } } })}`,
  ];
}
