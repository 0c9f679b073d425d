import type { RoleManifest } from "../../definitions/role-manifest.ts";
import { answerTool, offerAnswer } from "../loop/answer-tool.ts";
import { mcpToolName } from "../mcp-tool-name.ts";
import type { ToolOffer } from "../providers/types.ts";
import type { WorkspaceTool } from "../workspace/define-workspace-tool.ts";
import { workspaceTools } from "../workspace/table.ts";

/** Who makes a call: one of the agent's own tools, JobRunner's, or an MCP server's. */
export type ToolRoute =
  | Readonly<{ kind: "workspace"; tool: WorkspaceTool }>
  | Readonly<{ kind: "jobrunner" }>
  | Readonly<{ kind: "mcp"; server: string; tool: string }>;

export type AgentTools = Readonly<{
  /** What the model is offered, besides the tools of MCP servers, which the agent's process lists. */
  offers: readonly ToolOffer[];
  routes: ReadonlyMap<string, ToolRoute>;
  /** Names in the role's list that nobody has. */
  unknown: readonly string[];
}>;

const ownSkillRead = "skill_read";

/** The tools of a role: those that its signed manifest names, and no others. */
export function agentTools(
  { tools, mcp, skills, permissions }: RoleManifest,
  jobRunnerTools: readonly ToolOffer[],
): AgentTools {
  const own = new Map(workspaceTools.map((tool) => [tool.offer.name, tool]));
  const theirs = new Map(jobRunnerTools.map((offer) => [offer.name, offer]));
  const wanted = new Set([
    ...tools,
    ...(skills.length > 0 ? [ownSkillRead] : []),
    ...(permissions.commands.length > 0 && tools.includes("command_run") ? ["command_run"] : []),
  ]);
  const offers: ToolOffer[] = [];
  const routes = new Map<string, ToolRoute>();
  const unknown: string[] = [];
  for (const name of wanted) {
    const tool = own.get(name);
    const offer = theirs.get(name);
    // Its own skills are what an agent reads, signed as its role is.
    if (name === ownSkillRead && skills.length === 0) continue;
    if (tool !== undefined) {
      offers.push(tool.offer);
      routes.set(name, { kind: "workspace", tool });
    } else if (name === answerTool) {
      offers.push(offerAnswer(null));
    } else if (offer !== undefined) {
      offers.push(offer);
      routes.set(name, { kind: "jobrunner" });
    } else unknown.push(name);
  }
  for (const [server, names] of Object.entries(mcp)) {
    for (const tool of names) routes.set(mcpToolName(server, tool), { kind: "mcp", server, tool });
  }
  return { offers, routes, unknown };
}
